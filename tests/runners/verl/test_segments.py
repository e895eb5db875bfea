"""Segments: in real verl and in the local trainer, what is frozen stays and the rest moves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runners.local import LocalTrainer
from runners.segments import Segment, check_segments, frozen_names, legs
from runners.trainer import TrainingJob
from runners.verl.trainer import VerlTrainer

JobMaker = Callable[..., TrainingJob]
TrainerMaker = Callable[..., VerlTrainer]
RowReader = Callable[[Path], list[dict[str, Any]]]

SEGMENTS = [
    {"until": 2, "frozen": ["*mlp*"], "max_tokens": 2},
    {"until": 4, "learning_rate": 1e-9},
]


def test_legs_cover_all_steps_with_everything_filled_in() -> None:
    found = legs([Segment(until=2, learning_rate=0.5), Segment(until=5, max_tokens=8)], 9, 0.1, 4)
    assert [(leg.first, leg.last, leg.learning_rate, leg.max_tokens) for leg in found] == [
        (1, 2, 0.5, 4),
        (3, 5, 0.1, 8),
        (6, 9, 0.1, 4),
    ]
    assert [leg.last for leg in legs([Segment(until=9)], 9, 0.1, 4)] == [9]
    assert [leg.last for leg in legs([], 9, 0.1, 4)] == [9]


@pytest.mark.parametrize("ends", [(3, 2), (2, 2), (2, 10)])
def test_segments_end_at_rising_steps_within_the_training(ends: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"rising steps, none after steps=9, but got until="):
        check_segments([Segment(until=end) for end in ends], 9)


def test_patterns_name_parameters_with_and_without_lora() -> None:
    names = ["base_model.model.layers.0.w", "base_model.model.layers.1.w", "lm_head.w"]
    assert frozen_names(names, ["layers.0.*"]) == {"base_model.model.layers.0.w"}
    with pytest.raises(ValueError, match=r"'layer.0.\*' matches none of them; they look like lay"):
        frozen_names(names, ["layer.0.*"])
    with pytest.raises(ValueError, match="leave something to train"):
        frozen_names(names, ["*"])


def moved(before: Path, after: Path) -> dict[str, float]:
    """The largest change of each kind of weight."""
    import torch
    from transformers import AutoModelForCausalLM

    old, new = (
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).state_dict()
        for folder in (before, after)
    )
    change = {name: float((old[name] - new[name]).abs().max()) for name in old}
    return {kind: max(v for k, v in change.items() if kind in k) for kind in ("mlp", "self_attn")}


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["local", "verl"])
def test_a_segment_freezes_shortens_and_slows(
    kind: str, make_job: JobMaker, make_trainer: TrainerMaker, rows: RowReader
) -> None:
    job = make_job()
    trainer = make_trainer(steps=4, checkpoint_every=3, segments=SEGMENTS)
    if kind == "local":
        own = set(LocalTrainer.model_fields) - {"kind", "device"}
        local = LocalTrainer.model_validate(trainer.model_dump(include=own))
        changes = moved(job.model, local.train(job))
    else:
        changes = moved(job.model, trainer.train(job))
    # the attention moved at 1e-3 in the first two steps; the MLP only ever at 1e-9
    assert 1e-3 < changes["self_attn"] < 4e-3
    assert changes["mlp"] < 1e-7
    metrics = rows(job.folder / "metrics.jsonl")
    assert [row["step"] for row in metrics] == [1, 2, 3, 4]
    assert all(row["response_length"] <= 2 for row in metrics[:2])
