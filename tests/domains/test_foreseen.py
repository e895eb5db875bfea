"""Calls that tests make whatever a program answers: told ahead only where the order is certain."""

import pytest

from domains.code_sandbox import run_calls, run_tests
from domains.sandbox.functional import prepare
from domains.sandbox.wire import loads_trusted


def calls(tests: str, setup: str = "", entry_point: str = "") -> list[object]:
    """(name, arguments, keywords) of each call that is told ahead."""
    foreseen = prepare(setup, tests, entry_point, False).foreseen
    return [tuple(loads_trusted(request)[1:]) for request in foreseen]


def test_asserts_over_one_call_with_literal_arguments_are_foreseen() -> None:
    tests = (
        "assert f(1) == 2\nassert set(f([2], key='a')) == set([3])\nassert not f(-1)[0]\n"
        "assert math.isclose(f(2.5), 1.0, rel_tol=.1)\nassert 4 == f(())\nassert abs(f(1) - 2) < 1"
    )
    assert calls(tests) == [
        ("f", [1], {}),
        ("f", [[2]], {"key": "a"}),
        ("f", [-1], {}),
        ("f", [2.5], {}),
        ("f", [()], {}),
        ("f", [1], {}),
    ]


def test_the_asserts_of_a_check_function_are_those_of_the_entry_point() -> None:
    tests = 'METADATA = {"by": "x"}\n\ndef check(candidate):\n    assert candidate("a") == 1\n'
    assert calls(tests, "def f(text: str) -> int:\n    ...", "f") == [("f", ["a"], {})]


@pytest.mark.parametrize(
    "tests",
    [
        "assert f(1) == 1 or f(2) == 2",
        "assert f(1) == f(2)",
        "assert f(g(1)) == 2",
        "assert f(1) == 2\nx = f(3)",
        "for x in range(3):\n    assert f(x) == x",
        "assert f(*[1]) == 2",
        "assert f(1).value == 2",
        "assert getattr(f(1), 'value') == 2",
        "def helper():\n    return f(5)\nassert f(1) == helper()",
        "assert f(1) == 1, f(2)",
        "assert 1 == f(1) == f(2)",
    ],
)
def test_any_other_form_is_not_foreseen(tests: str) -> None:
    assert calls(tests) == []


def test_a_name_that_the_tests_bind_anew_is_not_foreseen() -> None:
    assert calls("from math import gcd\nassert gcd(4, 6) == 2", entry_point="gcd") == []


def test_a_program_with_a_state_is_called_in_the_order_of_the_asserts() -> None:
    code = "seen = []\ndef f(x):\n    seen.append(x)\n    return list(seen)"
    assert run_tests(code, "assert f(1) == [1]\nassert f(2) == [1, 2]").passed
    assert run_calls(code, "f", [[1], [2]], [[1], [1, 2]]).passed


def test_the_first_failure_is_told_though_a_later_call_never_ends() -> None:
    code = "import os\ndef f(x):\n    if x == 1:\n        os._exit(3)\n    return 7"
    run = run_tests(code, "assert f(0) == 8\nassert f(1) == 7\nassert f(2) == 7", graded=True)
    assert (run.passed_asserts, run.asserts, run.reason) == (0, 3, "ended early with exit status 3")
    assert run_tests(code, "assert f(0) == 8\nassert f(1) == 7").reason == (
        "failed: assert f(0) == 8"
    )


def test_an_argument_changed_by_one_call_is_whole_in_the_next() -> None:
    code = "def f(xs):\n    xs.append(1)\n    return len(xs)"
    assert run_tests(code, "assert f([]) == 1\nassert f([]) == 1").passed
    shared: list[int] = []
    assert run_calls(code, "f", [[shared], [shared]], [1, 1]).passed
