"""The calls that tests will make whatever a program answers, told from the tests' text.

Most tests are a list of asserts, each over one call with literal arguments. Such calls travel with
the program, which then answers one after another, while the judge compares: otherwise both would
wait for each other at every assert, and that is what small programs spend their time on.

A program may thus read the arguments of later calls early; it still learns nothing of the answers.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from domains.sandbox import wire

_PLAIN = frozenset({
    "abs", "all", "any", "bool", "dict", "float", "frozenset", "int", "isinstance", "len", "list",
    "max", "min", "repr", "round", "set", "sorted", "str", "sum", "tuple", "type",
})  # fmt: skip
_TRUSTED = _PLAIN | {"math"}
"""Names that ask nothing of a `Remote`."""


class _Unforeseen(Exception):
    """A statement of another form."""


def request(name: str, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> bytes:
    """One call as it travels; each by itself, so that no argument is shared by two."""
    return wire.dumps_trusted(["call", name, list(arguments), dict(keywords)])


def foreseen(
    setup: ast.Module, tests: ast.Module, programs: frozenset[str], entry_point: str
) -> tuple[bytes, ...]:
    """The requests in the order in which they will be made; empty for tests of any other form.

    `programs` are the names that stand for the program's own things.
    """
    names = {name: name for name in programs}
    if not all(map(_is_inert, setup.body)):
        return ()
    body = _without_inert(tests.body, names)
    match body:
        case [
            ast.FunctionDef(
                name="check",
                args=ast.arguments(
                    posonlyargs=[], args=[ast.arg(arg=parameter)], vararg=None, kwonlyargs=[],
                    kwarg=None,
                ),
                decorator_list=[],
            ) as check
        ] if entry_point.isidentifier():  # fmt: skip
            names |= {entry_point: entry_point, parameter: entry_point}
            body = _without_inert(check.body, names)
    try:
        return tuple(request(*_call_of(statement, names)) for statement in body)
    except (_Unforeseen, wire.CannotCross, ValueError, TypeError, RecursionError):
        return ()


def _without_inert(body: Sequence[ast.stmt], names: Mapping[str, str]) -> list[ast.stmt]:
    """What is left where nothing that is the program's is given another meaning."""
    return [
        statement for statement in body
        if not _is_inert(statement) or not names.keys().isdisjoint(_bound(statement))
    ]  # fmt: skip


def _is_inert(statement: ast.stmt) -> bool:
    """Nothing that calls: an import, a docstring, HumanEval's METADATA, the head of a helper."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="METADATA")]):
            return True
        case ast.FunctionDef(name=name, args=arguments, decorator_list=[]) if name != "check":
            calls = any(isinstance(node, ast.Call) for node in ast.walk(arguments))
            return not calls and name not in _TRUSTED
    return False


def _bound(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {alias.asname or alias.name.partition(".")[0] for alias in aliases}
        case ast.FunctionDef(name=name):
            return {name}
    return set()


def _call_of(
    statement: ast.stmt, names: Mapping[str, str]
) -> tuple[str, list[Any], dict[str, Any]]:
    """(name, arguments, keywords) of the one call in an assert, made before all else in it."""
    match statement:
        case ast.Assert(test=test, msg=None | ast.Constant()):
            call = _first_call(test, names)
        case _:
            raise _Unforeseen
    assert isinstance(call.func, ast.Name)
    if any(keyword.arg is None for keyword in call.keywords):
        raise _Unforeseen
    return (
        names[call.func.id],
        [ast.literal_eval(argument) for argument in call.args],
        {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords},
    )


def _first_call(node: ast.expr, names: Mapping[str, str]) -> ast.Call:
    """The call that `node` begins with; whatever else it does is Python's own."""
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in names:
            return node
        case ast.Call(func=ast.Name(id=name), args=[first, *rest]) if name in _PLAIN:
            return _before(first, [*rest, *(word.value for word in node.keywords)], names)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="math")), args=[first, *rest]) if (
            "math" not in names
        ):
            return _before(first, [*rest, *(word.value for word in node.keywords)], names)
        case ast.UnaryOp(operand=operand):
            return _first_call(operand, names)
        case ast.BinOp(left=left, right=right):
            return _before(left, [right], names)
        case ast.Subscript(value=value, slice=place):
            return _before(value, [place], names)
        case ast.Compare(left=ast.Constant(), comparators=[right]):
            return _first_call(right, names)
        case ast.Compare(left=left, comparators=[right]):
            return _before(left, [right], names)
    raise _Unforeseen


def _before(first: ast.expr, others: Sequence[ast.expr], names: Mapping[str, str]) -> ast.Call:
    """The call that `first` begins with; a helper in the `others` might call the program, too."""
    for node in (node for other in others for node in ast.walk(other)):
        if isinstance(node, ast.Name) and (node.id in names or node.id not in _TRUSTED):
            raise _Unforeseen
    return _first_call(first, names)
