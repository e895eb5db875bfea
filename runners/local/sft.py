"""SFT in this process: the mean loss over the completions' tokens of a batch, as verl has it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from difficulty.engines.transformers import Rollout
from runners.console import progress_bar
from runners.files import read_lines, write_lines
from runners.local.checkpoint import (
    load_checkpoint,
    restore_trainable,
    save_checkpoint,
    trainable,
)
from runners.local.policy import Rows, load_policy, log_probabilities, save_policy, vocabulary
from runners.local.trainer import LocalTrainer
from runners.run_lock import alone_in
from runners.tracking.trackers import figures_of, open_trackers

if TYPE_CHECKING:
    from runners.sft.examples import Tokens
    from runners.sft.job import SFTJob


def fine_tune(job: SFTJob) -> Path:
    """Train to the end, resuming what stands in `job.folder`; returns the model's folder."""
    place = job.place
    assert isinstance(place, LocalTrainer)
    trained = job.folder / "model"
    if trained.is_dir():
        return trained
    with alone_in(job.folder):
        _train(job, place, trained)
    return trained


def _train(job: SFTJob, place: LocalTrainer, trained: Path) -> None:
    settings = job.settings
    model, tokenizer = load_policy(
        job.model, place.device, place.dtype, place.threads, settings.lora_rank, job.seed
    )
    optimizer = torch.optim.AdamW(
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        lr=settings.learning_rate,
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    metrics, checkpoints = job.folder / "metrics.jsonl", job.folder / "checkpoints"
    done = 0
    if found := load_checkpoint(checkpoints):
        done, state = found
        restore_trainable(model, state["policy"])
        optimizer.load_state_dict(state["optimizer"])
    write_lines(metrics, [row for row in read_lines(metrics) if row["step"] <= done])
    trackers = open_trackers(job.tracking, job.folder, settings.model_dump(mode="json"))
    with progress_bar("fine-tuning") as progress:
        for step, places in enumerate(job.batches(), start=1):
            if step <= done:
                continue
            start = time.perf_counter()
            batch = [job.examples[i] for i in places]
            row: dict[str, Any] = {"step": step, "epoch": job.epoch(step)}
            row |= _update(model, optimizer, batch, settings.max_grad_norm)
            row["seconds"] = round(time.perf_counter() - start, 3)
            with metrics.open("a") as file:
                file.write(json.dumps(row) + "\n")
            for tracker in trackers:
                tracker.log(figures_of(row), step)
            if step % settings.checkpoint_every == 0:
                weights = {"policy": trainable(model), "optimizer": optimizer.state_dict()}
                save_checkpoint(checkpoints, step, weights)
            progress(step, job.steps)
    for tracker in trackers:
        tracker.close()
    save_policy(model, tokenizer, trained)


def mean_loss(model: Any, examples: Sequence[Tokens]) -> float:
    """Nats a completion token over all examples, without learning from them."""
    model.eval()
    with torch.no_grad():
        return sum(float(loss) for loss in _losses(model, examples))


def _update(
    model: Any, optimizer: torch.optim.Optimizer, batch: Sequence[Tokens], max_grad_norm: float
) -> dict[str, Any]:
    """One step; raises `ValueError` where loss or gradient stop being numbers."""
    model.train()
    optimizer.zero_grad()
    loss = 0.0
    for part in _losses(model, batch):
        part.backward()
        loss += float(part.detach())
    norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm))
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise ValueError(
            f"SFT must stay finite, but got {loss=} and grad_norm={norm}: try a smaller "
            "sft.learning_rate; the last checkpoint stands"
        )
    optimizer.step()
    return {"loss": loss, "grad_norm": norm, "tokens": sum(map(len, batch))}


def _losses(model: Any, batch: Sequence[Tokens]) -> Any:
    """The parts of the mean loss over a batch's completion tokens, one a forward pass."""
    groups = [[Rollout(example.prompt, example.completion, "", "stop", 0.0)] for example in batch]
    rows = Rows.of(groups, model.device)
    count = float(rows.mask.sum())
    for part, _ in rows.parts(range(len(groups)), vocabulary(model)):
        yield -(log_probabilities(model, part, 1.0) * part.mask).sum() / count
