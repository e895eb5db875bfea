"""Schedulers from outside: a dotted name, an entry point, and what is said when there is none."""

import re
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from curricula import AnyScheduler, Item, Scheduler
from runners.config import validate

DOCS = Path(__file__).parents[3] / "docs" / "own_scheduler.md"
ADAPTER: TypeAdapter[Scheduler] = TypeAdapter(AnyScheduler)
POOL = [Item(f"{i}", "math", "test", labels={"length": 100 - i}) for i in range(20)]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The scheduler of the docs, as a package that is installed with an entry point."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "__init__.py").touch()
    (tmp_path / "my_package" / "my_module.py").write_text(code)
    info = tmp_path / "my_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    target = "my_package.my_module:ShortFirst"
    (info / "entry_points.txt").write_text(f"[curricle.schedulers]\nshort_first = {target}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    from curricula.machinery import own

    own.declared.cache_clear()
    yield tmp_path
    own.declared.cache_clear()
    for name in [name for name in sys.modules if name.startswith("my_package")]:
        del sys.modules[name]


def test_the_scheduler_of_the_docs_has_ten_lines() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    body = [line for line in code.splitlines() if line and not line.startswith(("from", "import"))]
    assert len(body) <= 10


@pytest.mark.parametrize("kind", ["my_package.my_module:ShortFirst", "short_first"])
def test_a_scheduler_from_outside_is_a_kind_like_any_other(package: Path, kind: str) -> None:
    settings = {"kind": kind, "column": "length"}
    config = validate(
        {"name": "x", "problems": [{"kind": "tiny"}], "curriculum": settings}, "c.yaml"
    )
    curriculum = config.curriculum.build(POOL, 3, seed=0)
    first, second = curriculum.next_batch(4), curriculum.next_batch(4)
    assert first is not None
    assert first.uids == ("19", "18", "17", "16")  # the shortest
    assert second is not None
    restored = ADAPTER.validate_python(config.curriculum.model_dump(mode="json")).build(POOL, 3, 0)
    restored.load_state_dict(curriculum.state_dict())
    assert restored.next_batch(4) == curriculum.next_batch(4)


def test_it_may_be_wrapped(package: Path) -> None:
    wrapped = {"kind": "my_package.my_module:ShortFirst", "column": "length"}
    curriculum = ADAPTER.validate_python({"kind": "retire", "wraps": wrapped}).build(POOL, 3, 0)
    batch = curriculum.next_batch(4)
    assert batch is not None
    assert batch.uids == ("19", "18", "17", "16")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("my_package.my_module:ShortFrist", "did you mean 'ShortFirst'"),
        ("my_package.no_module:X", "importable module before the colon"),
        ("short_frist", "did you mean 'short_first'"),
        ("stagd", "must be one of mixed, sequential, staged"),
    ],
)
def test_a_wrong_name_is_told_with_its_place(package: Path, kind: str, message: str) -> None:
    raw = {"name": "x", "problems": [{"kind": "tiny"}], "curriculum": {"kind": kind}}
    with pytest.raises(ValueError, match=message) as caught:
        validate(raw, "c.yaml")
    assert str(caught.value).startswith("c.yaml: curriculum")


def test_mistakes_in_its_settings_are_told_like_ours(package: Path) -> None:
    settings = {"kind": "short_first", "column": ["a"]}
    with pytest.raises(ValidationError, match="column"):
        ADAPTER.validate_python(settings)


def test_mistakes_deep_inside_are_told_with_their_path() -> None:
    curriculum = {"kind": "retire", "wraps": {"kind": "sec", "temprature": 1}}
    raw = {"name": "x", "problems": [{"kind": "tiny"}], "curriculum": curriculum}
    with pytest.raises(
        ValueError,
        match=r"curriculum.wraps.temprature: no such setting \(did you mean 'temperature'",
    ):
        validate(raw, "c.yaml")
