"""The scripted engine: it says what it is told to, by seed."""

from pathlib import Path

from difficulty.engines.base import Completion, Request, Sampling
from difficulty.engines.scripted import Scripted


def ask(content: str, *seeds: int) -> Request:
    return Request("u", ({"role": "user", "content": content},), seeds)


def test_the_seed_picks_one_of_the_completions() -> None:
    engine = Scripted(script={"2+2": ("four", "it is five")}).open(Path("none"), None)
    [known, unknown] = engine.generate([ask("2+2", 0, 1, 2), ask("?", 0)], Sampling())
    assert [c.text for c in known] == ["four", "it is five", "four"]
    assert [c.token_count for c in known] == [2, 4, 2]  # words and the end token
    assert unknown == [Completion("", 2, "stop")]


def test_a_long_completion_is_cut_and_a_stop_string_ends_it() -> None:
    engine = Scripted(otherwise=("a b c d",)).open(Path("none"), None)
    assert engine.generate([ask("x", 0)], Sampling(max_tokens=3)) == [
        [Completion("a b c", 3, "length")]
    ]
    [[stopped]] = engine.generate([ask("x", 0)], Sampling(stop=(" c",)))
    assert stopped.text == "a b"


def test_identity_tells_scripts_apart() -> None:
    one, two = Scripted(otherwise=("a",)), Scripted(otherwise=("b",))
    model = Path("m")
    assert one.identity(model, None) != two.identity(model, None)
    assert one.open(model, None).identity() == one.identity(model, None)
