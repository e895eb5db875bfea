"""verl's own SFT trainer on the CPU, beside the local loop on the same examples."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from difficulty.prompts import PromptFormat
from runners.files import read_lines
from runners.local import LocalTrainer
from runners.local.sft import fine_tune as fine_tune_here
from runners.sft import RejectionSFT
from runners.sft.examples import Example, encode
from runners.sft.job import SFTJob
from runners.tracking.trackers import TrackingSettings
from runners.verl.sft import check_sft, fine_tune
from runners.verl.trainer import VerlTrainer

TrainerMaker = Callable[..., VerlTrainer]


def make_job(
    folder: Path,
    model: Path,
    place: LocalTrainer | VerlTrainer,
    count: int = 16,
    **changes: Any,
) -> SFTJob:
    """Two epochs of two updates; sixteen examples of one to four tokens."""
    style = PromptFormat()
    sums = [(a, b) for a in range(4) for b in range(4)][:count]
    examples = [Example(style.ask(f"{a}+{b}="), str((a + b) % 4) * (1 + b)) for a, b in sums]
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"batch_size": 8, "learning_rate": 1e-3, "checkpoint_every": 2, **changes}
    tokens, _ = encode(examples, model, None)
    sft, tracking = RejectionSFT.model_validate(settings), TrackingSettings(tensorboard=True)
    return SFTJob(model, folder, tokens, sft, place, seed=1, tracking=tracking)


def tracked(job: SFTJob, name: str) -> Any:
    """What TensorBoard was told of every update, in float32."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(job.folder / "tensorboard"))
    found.Reload()
    scalars = found.Scalars(name)
    assert [scalar.step for scalar in scalars] == list(range(1, job.steps + 1))
    return pytest.approx([scalar.value for scalar in scalars], rel=1e-6)


def weights(model: Path) -> dict[str, Any]:
    import torch
    from transformers import AutoModelForCausalLM

    return dict(AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).state_dict())


def largest_difference(first: Path, second: Path) -> float:
    one, other = weights(first), weights(second)
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.mark.slow
def test_verl_learns_the_same_as_the_local_loop(
    tmp_path: Path, adding_model: Path, make_trainer: TrainerMaker
) -> None:
    here = make_job(tmp_path / "here", adding_model, LocalTrainer(threads=1))
    there = make_job(tmp_path / "there", adding_model, make_trainer())
    models = fine_tune_here(here), fine_tune(there)
    rows = [read_lines(job.folder / "metrics.jsonl") for job in (here, there)]
    assert [row["step"] for row in rows[1]] == [1, 2, 3, 4]
    assert rows[1][0]["loss"] == pytest.approx(rows[0][0]["loss"], abs=1e-5)
    assert rows[1][0]["grad_norm"] == pytest.approx(rows[0][0]["grad_norm"], abs=1e-4)
    for mine, its in zip(*rows, strict=True):
        assert (mine["tokens"], mine["epoch"]) == (its["tokens"], its["epoch"])
        assert its["loss"] == pytest.approx(mine["loss"], abs=1e-3)
    assert largest_difference(*models) < 1e-3 < largest_difference(adding_model, models[1])
    assert (models[1] / "tokenizer.json").is_file()
    assert tracked(here, "curricle/loss") == [row["loss"] for row in rows[0]]
    assert tracked(there, "train/loss") == [row["loss"] for row in rows[1]]


@pytest.mark.soak
def test_a_run_that_ended_early_goes_on_from_an_epochs_end_and_from_within_one(
    tmp_path: Path, adding_model: Path, make_trainer: TrainerMaker
) -> None:
    here = make_job(tmp_path / "here", adding_model, LocalTrainer(threads=1))
    # verl ends after the first epoch, and then after every update, until all are done
    early = {"trainer.total_training_steps": 2}
    there = make_job(tmp_path / "there", adding_model, make_trainer(), overrides=early)
    models = fine_tune_here(here), fine_tune(there)
    assert len(list(there.folder.glob("verl-*.jsonl"))) == 3
    losses = [
        [row["loss"] for row in read_lines(j.folder / "metrics.jsonl")] for j in (here, there)
    ]
    assert losses[1] == pytest.approx(losses[0], abs=1e-3)
    assert largest_difference(*models) < 1e-3


@pytest.mark.soak
def test_two_workers_and_an_adapter(
    tmp_path: Path, adding_model: Path, make_trainer: TrainerMaker
) -> None:
    two = make_job(tmp_path / "two", adding_model, make_trainer(gpus_per_node=2), epochs=1)
    here = make_job(tmp_path / "here", adding_model, LocalTrainer(threads=1), epochs=1)
    models = fine_tune(two), fine_tune_here(here)
    assert largest_difference(*models) < 1e-3
    adapter = make_job(
        tmp_path / "lora",
        adding_model,
        make_trainer(),
        epochs=1,
        lora_rank=4,
        learning_rate=1e-2,
    )
    trained = fine_tune(adapter)
    assert not list(trained.glob("adapter*"))
    assert largest_difference(adding_model, trained) > 1e-3


def test_a_key_that_verl_does_not_have_is_refused(make_trainer: TrainerMaker) -> None:
    check_sft(make_trainer(), {"optim.lr_scheduler_type": "cosine"})
    with pytest.raises(ValueError, match=r"the nearest is 'optim.lr_scheduler_type'"):
        check_sft(make_trainer(), {"optim.lr_sheduler_type": "cosine"})


def test_too_few_examples_for_the_workers_are_refused(
    tmp_path: Path, adding_model: Path, make_trainer: TrainerMaker
) -> None:
    job = make_job(tmp_path, adding_model, make_trainer(gpus_per_node=4), count=3)
    with pytest.raises(ValueError, match=r"at least one example .* of the 4 workers, but got 3"):
        _ = job.batch_size
    job = make_job(tmp_path, adding_model, make_trainer(gpus_per_node=4), count=11)
    assert (job.batch_size, job.steps) == (8, 2)
