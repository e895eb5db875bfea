import json
from pathlib import Path
from typing import Any

import pytest

from runners.config import validate
from runners.files import count_lines, read_json, read_lines, write_lines
from runners.run_dir import open_run


def make_config(out: Path, **changes: Any) -> Any:
    return validate({"name": "x", "out": str(out), "problems": [{"kind": "tiny"}], **changes}, "c")


def test_the_folder_keeps_the_resolved_settings_and_versions(tmp_path: Path) -> None:
    run = open_run(make_config(tmp_path))
    stored = read_json(run.config)
    assert stored["config"]["trainer"]["kind"] == "local"
    assert stored["versions"]["torch"]
    assert open_run(make_config(tmp_path)) == run


def test_settings_may_change_until_there_are_results(tmp_path: Path) -> None:
    open_run(make_config(tmp_path))
    run = open_run(make_config(tmp_path, seed=1))
    assert read_json(run.config)["config"]["seed"] == 1


def test_other_settings_than_those_of_the_results_are_refused(tmp_path: Path) -> None:
    run = open_run(make_config(tmp_path))
    run.training.mkdir()
    before = run.config.read_bytes()
    with pytest.raises(ValueError, match=r"seed: there 0, asked 1"):
        open_run(make_config(tmp_path, seed=1))
    assert run.config.read_bytes() == before


def test_a_half_written_last_line_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_lines(path, [{"step": 1}, {"step": 2}])
    path.write_text(path.read_text() + json.dumps({"step": 3})[:-2])
    assert read_lines(path) == [{"step": 1}, {"step": 2}]
    assert count_lines(path) == 2
    assert count_lines(tmp_path / "none") == 0
