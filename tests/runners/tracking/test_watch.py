"""What `curricle watch` shows, from files written by hand."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from runners.evaluation.log import EvaluationLog
from runners.evaluation.summary import EvaluationRow, Phase
from runners.run_dir import RunDir
from runners.tracking.watch import curve, interval, look, picture, watch


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    folder = RunDir(tmp_path / "demo")
    folder.training.mkdir(parents=True)
    folder.config.write_text(json.dumps({"config": {"name": "demo", "trainer": {"steps": 10}}}))
    return folder


def add_steps(run: RunDir, count: int) -> None:
    rows = [
        {
            "step": i + 1, "stage": "easy", "reward/mean": 0.1 * i, "reward/math": 0.2 * i,
            "zero_variance": 0.25, "response_length": 12.0, "grad_norm": 1.5, "seconds": 2.0,
            **({"verdict/truncated": 0.5} if i == 0 else {}),
        }
        for i in range(count)
    ]  # fmt: skip
    (run.training / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def evaluated(
    phase: Phase, step: int, uid: str, domain: str, n: int, correct: int
) -> EvaluationRow:
    return EvaluationRow(
        phase=phase, step=step, uid=uid, domain=domain, source="s", bucket=None, n=n,
        correct=correct, wrong=n - correct, no_answer=0, truncated=0, verifier_errors=0,
    )  # fmt: skip


def shown(run: RunDir) -> str:
    console = Console(width=120, force_terminal=False, record=True)
    with console.capture() as capture:
        console.print(picture(look(run)))
    return capture.get()


def test_a_running_training_shows_its_step_its_figures_and_what_is_left(run: RunDir) -> None:
    add_steps(run, 4)
    EvaluationLog(run.evaluations).write(
        [
            evaluated("before", 0, "a", "math", 4, 2),
            evaluated("before", 0, "b", "math", 4, 2),
            evaluated("before", 0, "c", "code", 0, 0),
            evaluated("during", 2, "a", "math", 4, 3),
            evaluated("during", 2, "c", "code", 4, 4),
        ]
    )
    text = shown(run)
    assert "demo  step 4 of 10  stage easy  about 0:00:12 left" in text  # 6 steps of 2 s
    assert "reward math" in text
    assert "zero-variance groups" in text
    assert "before" in text
    assert "step 2" in text
    assert "0.50 [0.50, 0.50] n=2" in text
    (code,) = [line for line in text.splitlines() if line.startswith("code")]
    assert code.split() == ["code", "1.00", "[1.00,", "1.00]", "n=1"]
    # no rollout of three of the four steps was cut off: .5 / 4
    (truncated,) = [line for line in text.splitlines() if line.startswith("truncated")]
    assert truncated.split()[2] == "0.125"


def test_a_half_written_line_is_waited_for(run: RunDir) -> None:
    add_steps(run, 2)
    with (run.training / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "sta')
    assert len(look(run).rows) == 2


def test_a_training_that_has_not_begun_says_so(run: RunDir) -> None:
    assert "no training step has finished yet" in shown(run)


def test_a_finished_run_is_shown_once(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    add_steps(run, 10)
    run.trained_model.mkdir()
    watch(run.root, once=False, every=0.1)
    assert "step 10 of 10  stage easy  finished" in capsys.readouterr().out


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"folder with a config\.json"):
        watch(tmp_path, once=True, every=1)


def test_a_curve_goes_from_the_lowest_to_the_highest() -> None:
    assert curve([0, 7]) == "▁█"
    assert curve([1, 1, 1]) == "▄▄▄"
    assert curve([0, 0, 1, 1], width=2) == "▁█"
    assert len(curve([float(i) for i in range(1000)])) == 40


def test_an_interval_needs_two_values() -> None:
    assert interval([0.5]) == "0.5"
    assert interval([0.0, 1.0]) == "0.5 ±0.98"  # 1.96 x .7071 / sqrt(2)
