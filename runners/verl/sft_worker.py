"""verl's own SFT trainer as `torchrun` starts it, once for each worker:

    torchrun --nproc-per-node N -m runners.verl.sft_worker CONFIG.yaml

verl's `sft_trainer.main` asks torch for the backend `cpu:gloo,cpu:gloo` on a machine without an
accelerator, which names one device twice and is refused; it goes on wrongly from the end of an
epoch (`_begin_epoch`), and it can be killed between two checkpoints (`_save`). Everything else here
is verl's.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
import torch.distributed
from omegaconf import OmegaConf
from torch.utils.data import Dataset

from runners.tracking.trackers import open_trackio
from runners.verl.checkpoints import UNFINISHED, finish, fresh


class TokenRows(Dataset[Any]):  # type: ignore[misc]
    """Rows of tokens as they are, in the place of verl's dataset of messages.

    verl's applies the chat template to every message by itself, which some templates refuse and
    others answer differently than when a model is asked; ours have been encoded already.
    """

    def __init__(self, parquet_files: Any, tokenizer: Any, config: Any, **_: Any) -> None:
        del tokenizer, config
        self.rows = [row for path in parquet_files for row in pq.read_table(path).to_pylist()]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """input_ids, position_ids and loss_mask, each (tokens,); the mask is 1 on the completion.

        Raises `IndexError` beyond the end.
        """
        row = self.rows[index]
        prompt, completion = row["prompt"], row["completion"]
        tokens = torch.tensor([*prompt, *completion])
        mask = torch.zeros_like(tokens)
        mask[len(prompt) :] = 1
        return {
            "input_ids": tokens,
            "position_ids": torch.arange(len(tokens)),
            "loss_mask": mask,
        }


def main(path: str) -> None:
    """Train by a configuration file to the end."""
    from verl.trainer.sft_trainer import SFTTrainer
    from verl.utils.distributed import initialize_global_process_group

    config = OmegaConf.load(path)
    if config.trainer.device == "cpu":
        torch.distributed.init_process_group("gloo")
        from runners.verl import cpu_workers  # noqa: F401  registers the engine for CPUs
    else:
        initialize_global_process_group()
    names = config.trainer
    if "trackio" in names.logger and torch.distributed.get_rank() == 0:
        # verl itself would begin another run at every resume
        open_trackio(names.project_name, names.experiment_name, OmegaConf.to_container(config))
    trainer = SFTTrainer(config)
    trainer.ckpt_handler.save_checkpoint = partial(_save, trainer.ckpt_handler)
    if trainer.resume_global_step and trainer.resume_global_step % trainer.steps_per_epoch == 0:
        _begin_epoch(trainer)
    trainer.fit()
    torch.distributed.destroy_process_group()


def _save(handler: Any, step: int) -> None:
    """verl's checkpoint, whole or not at all: by itself it drops the one before first."""
    folder, first = Path(handler.default_local_dir), torch.distributed.get_rank() == 0
    if first:
        fresh(folder)
    torch.distributed.barrier()
    handler.default_local_dir = str(folder / UNFINISHED)
    try:
        type(handler).save_checkpoint(handler, step)
    finally:
        handler.default_local_dir = str(folder)
    if first:
        finish(folder, step)


def _begin_epoch(trainer: Any) -> None:
    """A loader's state from the end of an epoch would be gone on with as an epoch without batches,
    and verl would end before its last step."""
    trainer._build_dataloader()
    trainer.ckpt_handler.train_dataloader = trainer.train_dataloader


if __name__ == "__main__":
    main(sys.argv[1])
