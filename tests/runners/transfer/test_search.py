"""A real transfer search on the tiny model: every trial once, whatever interrupts it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from runners.config import RunConfig, load_config
from runners.files import read_json, read_lines
from runners.transfer.search import search_transfer

pytestmark = pytest.mark.slow


def make_config(folder: Path, model: Path, **transfer: Any) -> RunConfig:
    settings: dict[str, Any] = {
        "name": "search",
        "out": str(folder),
        "model": str(model),
        "problems": [{"kind": "tiny", "families": ["math", "stem", "graph"], "size": 20}],
        "decoding": {"max_tokens": 24},
        "difficulty": {"engine": {"kind": "transformers"}, "samples": 2},
        "trainer": {"kind": "local", "steps": 3, "prompts_per_step": 8, "samples_per_prompt": 4},
        "evaluation": {
            "holdout": 0.3,
            "where": {"labels": {"level": [2, 3, 4, 5]}},
            "limit": 8,
            "samples": 2,
            "k": [1],
            "every": 0,
        },
        "transfer": {
            "source": ["math"],
            "target": ["graph"],
            "sizes": [2, 8],
            "seeds": 2,
            **transfer,
        },
    }
    path = folder / "search.yaml"
    path.write_text(yaml.safe_dump(settings))
    return load_config(path)


def test_a_killed_search_goes_on_and_runs_each_trial_once(
    tmp_path: Path, tiny_model: Path, run_and_kill: Callable[..., None]
) -> None:
    config = make_config(tmp_path, tiny_model)
    answer = tmp_path / "search" / "transfer.json"
    run_and_kill(
        ["runners.cli", "transfer", str(tmp_path / "search.yaml")],
        tmp_path,
        lambda: len(read_json(answer).get("trials", [])) >= 2,
    )
    page = search_transfer(config)
    found = read_json(answer)
    trained = sorted((trial["n_target"], trial["seed"]) for trial in found["trials"])
    assert trained == [(n, seed) for n in (0, 2, 8) for seed in (0, 1)]
    assert [point["n"] for point in found["curve"]] == [0, 2, 8]
    assert found["minimum"]["n_max"] == 8
    assert page.is_file()
    for trial in found["trials"]:
        folder = tmp_path / "search" / trial["folder"]
        pool = read_lines(folder / "pool.jsonl")
        assert sum(row["domain"] == "graph" for row in pool) == trial["n_target"]
        assert {row["domain"] for row in pool} <= {"math", "graph"}
        assert (folder / "report.html").is_file()
    small, large = (
        {row["uid"] for row in read_lines(tmp_path / f"search/trials/n000{n}-s0/pool.jsonl")}
        for n in (2, 8)
    )
    assert small < large


@pytest.mark.parametrize(
    ("transfer", "message"),
    [
        ({"target": ["biology"]}, "must name domains with problems to train on"),
        ({"sizes": [2, 10_000]}, "at most the"),
    ],
)
def test_a_search_that_cannot_be_done_is_refused_before_any_training(
    tmp_path: Path, tiny_model: Path, transfer: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        search_transfer(make_config(tmp_path, tiny_model, **transfer))
    assert not (tmp_path / "search" / "trials").exists()
