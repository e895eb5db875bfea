"""Trackers: asked for by name, refused before any work where the package is missing."""

from pathlib import Path

import pytest

from runners.evaluation.summary import EvaluationRow
from runners.tracking import trackers
from runners.tracking.trackers import TrackingSettings, figures_of, run_name
from runners.tracking.training_log import TrainingLog, evaluation_figures


def test_a_tracker_that_is_not_installed_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"tracking\.trackio needs .* 'curricle\[trackio\]'"):
        TrackingSettings(trackio="p").check()
    TrackingSettings().check()


def test_verl_knows_one_project() -> None:
    both = TrackingSettings(wandb="p", trackio="p", tensorboard=True)
    assert (both.project, both.names) == ("p", ("wandb", "tensorboard", "trackio"))
    assert TrackingSettings().names == ()
    with pytest.raises(ValueError, match=r"the same project .* wandb='p' and trackio='q'"):
        TrackingSettings(wandb="p", trackio="q")


def test_trackers_get_the_numbers_under_one_prefix() -> None:
    assert figures_of({"step": 3, "stage": "easy", "rollouts": 4, "reward/math": 0.5}) == {
        "curricle/rollouts": 4.0,
        "curricle/reward/math": 0.5,
    }


def test_sft_is_tracked_as_a_run_of_its_own() -> None:
    assert run_name(Path("runs/quickstart/training")) == "quickstart"
    assert run_name(Path("runs/quickstart/sft")) == "quickstart-sft"


def evaluated(domain: str, n: int, correct: int) -> EvaluationRow:
    counts = {"wrong": n - correct, "no_answer": 0, "truncated": 0, "verifier_errors": 1}
    return EvaluationRow("during", 5, domain, domain, "s", None, n, correct, **counts)


def test_an_evaluation_is_told_as_unbiased_pass_at_k() -> None:
    rows = [evaluated("math", 4, 1), evaluated("code", 2, 2)]
    assert evaluation_figures(rows, (1, 3)) == {
        "evaluation/pass@1": 0.625,
        "evaluation/pass@1/math": 0.25,
        "evaluation/pass@1/code": 1.0,
        # 1 - C(3, 3) / C(4, 3); code has no three completions, and so no pass@3
        "evaluation/pass@3": 0.75,
        "evaluation/pass@3/math": 0.75,
    }


@pytest.mark.slow
def test_tensorboard_gets_steps_and_evaluations(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = TrainingLog(tmp_path / "run" / "training", TrackingSettings(tensorboard=True))
    log.write({"step": 5, "stage": "all", "reward/math": 0.5}, {"step": 5})
    log.evaluated(5, [evaluated("math", 4, 1)], (1,))
    log.close()
    found = EventAccumulator(str(tmp_path / "run" / "training" / "tensorboard"))
    found.Reload()
    assert [(e.step, e.value) for e in found.Scalars("curricle/reward/math")] == [(5, 0.5)]
    assert found.Scalars("evaluation/pass@1/math")[0].value == 0.25
