"""Real vLLM on the tiny model: equal to transformers, independent of batching, safe to kill."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from difficulty.engines.base import Completion, Request, Sampling
from difficulty.engines.transformers import Transformers
from difficulty.engines.vllm import Vllm
from difficulty.faults import Fault
from domains.sources.tiny_families import TinyFamilies

pytestmark = pytest.mark.slow


def make_requests(count: int, samples: int) -> list[Request]:
    problems = TinyFamilies(size=4).load()[:count]
    return [
        Request(p.uid, ({"role": "user", "content": p.prompt},), tuple(range(i, i + samples)))
        for i, p in enumerate(problems)
    ]


def test_vllm_answers_as_transformers_does_and_alone_as_in_a_batch(tiny_model: Path) -> None:
    requests, greedy = make_requests(20, 1), Sampling(temperature=0, max_tokens=24)
    sampled = Sampling(max_tokens=24)
    with Vllm(data_parallel_size=2, max_num_seqs=32).open(tiny_model, None) as engine:
        from_vllm = engine.generate(requests, greedy)
        together = engine.generate(make_requests(20, 8), sampled)
        alone = engine.generate(make_requests(20, 8)[7:8], sampled)
        cut: list[list[Completion]] = engine.generate(requests, Sampling(max_tokens=1))
        stopped = engine.generate(requests, Sampling(max_tokens=24, stop=(":",)))
        for _ in engine.stream(make_requests(20, 8), sampled):  # given up after the first
            break
        after = engine.generate(requests, greedy)
        assert engine.identity()["engine"] == "vllm"
    with Transformers().open(tiny_model, None) as engine:
        from_transformers = engine.generate(requests, greedy)
    assert from_vllm == after == from_transformers
    assert together[7] == alone[0]
    assert len({c.text for row in together for c in row}) > 20
    assert {c.finish_reason for [c] in cut} <= {"length", "stop"}
    assert all(c.token_count == 1 for [c] in cut)
    assert all(":" not in c.text for [c] in stopped)


def test_a_model_that_vllm_cannot_load_is_one_clear_error(tiny_model: Path) -> None:
    with pytest.raises(ValueError, match="max_model_len"):
        Vllm(max_model_len=10**6).open(tiny_model, None)


def test_scoring_that_is_killed_goes_on_and_ends_with_the_same_rows(
    tmp_path: Path, tiny_model: Path, run_and_kill: Callable[..., None]
) -> None:
    from difficulty.store.completions import ScoreStore
    from runners.config import load_config
    from runners.stages import score_only

    config: dict[str, Any] = {
        "name": "x",
        "model": str(tiny_model),
        "problems": [{"kind": "tiny", "size": 40}],
        "decoding": {"max_tokens": 24},
        "difficulty": {"engine": {"kind": "vllm"}, "samples": 4},
    }
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(config))
    killed = tmp_path / "killed"
    run_and_kill(
        ["runners.cli", "score", str(path), "name=killed", f"out={tmp_path}"],
        tmp_path,
        lambda: any((killed / "scores").glob("part-*.parquet")),
    )
    rows = {}
    for name in ("killed", "whole"):
        score_only(load_config(path, [f"name={name}", f"out={tmp_path}"]))
        store = ScoreStore.__new__(ScoreStore)
        store.folder = tmp_path / name / "scores"
        rows[name] = store.rows()
    assert len(rows["whole"]) > 3 * 64 * 4
    assert rows["killed"] == rows["whole"]


@pytest.mark.soak
def test_an_engine_that_hangs_is_ended_and_said_so(tiny_model: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    settings = Vllm(stall_seconds=8, max_num_seqs=4)
    with settings.open(tiny_model, None) as engine:
        [child] = set(psutil.Process().children()) - before
        answers = engine.stream(make_requests(20, 8), Sampling(max_tokens=24))
        next(answers)
        child.suspend()
        with pytest.raises(Fault, match=r"said nothing for difficulty\.engine\.stall_seconds=8"):
            list(answers)
        assert not child.is_running()


@pytest.mark.soak
def test_an_engine_that_is_killed_is_said_so(tiny_model: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    with Vllm(max_num_seqs=4).open(tiny_model, None) as engine:
        [child] = set(psutil.Process().children()) - before
        answers = engine.stream(make_requests(20, 8), Sampling(max_tokens=24))
        next(answers)
        child.kill()
        with pytest.raises(Fault, match="vLLM ended with exit code -9; the same command goes on"):
            list(answers)
