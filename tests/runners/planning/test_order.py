"""The planned order as a parquet file, and the memory printed beside a plan."""

from pathlib import Path
from typing import Any

import pytest

from domains.verl.own_rows import restore
from runners.config import RunConfig, validate
from runners.planning.memory import print_memory
from runners.planning.order import write_order
from runners.planning.plan import imagine
from runners.problem_set import load_problems
from runners.profiling.scored import Scored


def config(**changes: Any) -> RunConfig:
    raw = {
        "name": "x",
        "problems": [{"kind": "tiny", "families": ["math"], "size": 12}],
        "curriculum": {"kind": "sequential"},
        "trainer": {"kind": "local", "steps": 3, "prompts_per_step": 4},
    }
    return validate({**raw, **changes}, "c")


def test_the_file_holds_the_planned_rows_in_order_with_repeats(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    settings = config()
    problems = load_problems(settings)
    scored = Scored.of([], settings)
    rows = imagine(settings, scored.pool(problems))
    words = write_order(rows, problems, scored, tmp_path / "new" / "order.parquet")
    written = pq.read_table(tmp_path / "new" / "order.parquet").to_pylist()
    assert [restore(row).uid for row in written] == [uid for row in rows for uid in row["uids"]]
    assert [row["extra_info"]["index"] for row in written] == list(range(12))
    assert {"data.shuffle=False", "data.train_batch_size=4"} <= {*words}


def test_steps_of_different_sizes_make_no_file(tmp_path: Path) -> None:
    settings = config()
    problems = load_problems(settings)
    rows = [{"uids": ["a"]}, {"uids": ["a", "b"]}]
    with pytest.raises(ValueError, match=r"steps of one size, but the plan's have \[1, 2\]"):
        write_order(rows, problems, Scored.of([], settings), tmp_path / "order.parquet")


def test_the_memory_of_a_verl_run_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    trainer = {"kind": "verl", "preset": "4gpu"}
    print_memory(config(model="Qwen/Qwen2.5-3B", trainer=trainer))
    shown = capsys.readouterr().out
    assert "each of 4 GPUs (3.1B parameters, estimated)" in shown
    assert "KV cache" in shown
    print_memory(config(model="somebody/else", trainer={"kind": "verl"}))
    assert "the shape of somebody/else is not known" in capsys.readouterr().out.replace("\n", " ")
    print_memory(config())
    assert capsys.readouterr().out == ""
