"""verl's SFT trainer behind ours: writes its input, starts its workers under a watchdog, collects.

The workers are `torchrun`'s on this machine; there is no Ray in it. Their processes bear a mark and
are ended with the run, as those of `main_ppo` are.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runners.files import read_lines, write_lines
from runners.sft.job import SFTJob
from runners.tracking.trackers import run_name
from runners.verl.checkpoints import last_step
from runners.verl.composed import lay_over, verl_defaults
from runners.verl.launch import Launch
from runners.verl.machine import check_gpus, has_flash_attention, resolve_device
from runners.verl.trainer import VerlTrainer
from runners.verl.versions import installed_version
from runners.verl.weights import write_model

COMPOSED = "sft_trainer_engine"
"""verl's configuration of its SFT trainer."""


def check_sft(place: VerlTrainer, overrides: Mapping[str, Any]) -> None:
    """Raises `ValueError` where verl, a GPU that is asked for, or a key of verl's is missing."""
    installed_version()
    device_of(place)
    if overrides:
        lay_over(verl_defaults(COMPOSED), overrides, "sft.overrides")


def device_of(place: VerlTrainer) -> str:
    """cpu or cuda: SFT runs on this machine, whichever machines Ray has for what comes after.

    Raises `ValueError` for GPUs that are not there.
    """
    device = resolve_device("cuda" if place.preset else place.device)
    if device == "cuda":
        check_gpus(place.gpus_per_node)
    return device


def fine_tune(job: SFTJob) -> Path:
    """Train to the end, resuming what stands in `job.folder`; returns the model's folder.

    Raises `Fault` with the end of verl's log when the run fails or stalls.
    """
    trained, checkpoints = job.folder / "model", job.folder / "checkpoints"
    if trained.is_dir():
        return trained
    place = job.place
    assert isinstance(place, VerlTrainer)
    device = device_of(place)
    _write_rows(job)
    while (done := last_step(checkpoints)) < job.steps:
        from omegaconf import OmegaConf

        path = job.folder / "verl.yaml"
        path.write_text(OmegaConf.to_yaml(configuration(job, device)))
        _run(job, place, path, done, device)
        if last_step(checkpoints) == done:
            log = job.folder / "verl.log"
            raise RuntimeError(f"verl ended without a checkpoint after step {done}: {log}")
    write_lines(job.folder / "metrics.jsonl", _metrics(job))
    write_model(checkpoints / f"global_step_{job.steps}", job.model.absolute(), trained)
    return trained


def configuration(job: SFTJob, device: str) -> Any:
    """verl's whole configuration (an OmegaConf `DictConfig`): its own with our words over it.

    Raises `ValueError` for an override that verl does not know.
    """
    config = verl_defaults(COMPOSED)
    lay_over(config, _training(job))
    lay_over(config, _machine(job, device))
    lay_over(config, job.settings.overrides, "sft.overrides")
    return config


def _training(job: SFTJob) -> dict[str, Any]:
    """Data and mathematics: these lines mean the same as the local trainer's code."""
    settings = job.settings
    longest = max(map(len, job.examples))
    most = job.place.tokens_per_gpu if isinstance(job.place, VerlTrainer) else longest
    return {
        "data.train_files": [str(job.folder.absolute() / "train.parquet")],
        "data.custom_cls.path": "pkg://runners.verl.sft_worker",
        "data.custom_cls.name": "TokenRows",
        "data.train_batch_size": job.batch_size,
        "data.max_length": longest,
        "data.max_token_len_per_gpu": max(most, longest),
        "data.use_dynamic_bsz": True,
        "data.num_workers": 0,
        "model.path": str(job.model.absolute()),
        "model.lora_rank": settings.lora_rank,
        "model.lora_alpha": 2 * settings.lora_rank,
        "optim.lr": settings.learning_rate,
        "optim.betas": list(settings.betas),
        "optim.weight_decay": settings.weight_decay,
        "optim.clip_grad": settings.max_grad_norm,
        "optim.lr_scheduler_type": "constant",
        "engine.strategy": "fsdp2",
        "engine.seed": job.seed,
        "trainer.seed": job.seed,
        "trainer.total_epochs": settings.epochs,
        "trainer.total_training_steps": job.steps,
        "trainer.save_freq": settings.checkpoint_every,
        "trainer.max_ckpt_to_keep": None,  # `sft_worker` keeps the last one
        "trainer.default_local_dir": str(job.folder.absolute() / "checkpoints"),
        "trainer.resume_mode": "auto",
        "trainer.logger": ["console", "file", *job.tracking.names],
        "trainer.project_name": job.tracking.project,
        "trainer.experiment_name": run_name(job.folder),
    }


def _machine(job: SFTJob, device: str) -> dict[str, Any]:
    """Device, precision and attention."""
    flash = has_flash_attention(device)
    table: dict[str, Any] = {
        "trainer.device": device,
        "trainer.n_gpus_per_node": job.workers,
        "model.use_remove_padding": flash,
        "+model.override_config.attn_implementation": "flash_attention_2" if flash else "sdpa",
    }
    if device == "cpu":
        return table | {
            "model.enable_gradient_checkpointing": False,
            "engine.use_torch_compile": False,
            "+engine.mixed_precision.param_dtype": "fp32",
        }
    offload = isinstance(job.place, VerlTrainer) and job.place.offload
    return table | {"engine.param_offload": offload, "engine.optimizer_offload": offload}


def _environment(job: SFTJob, device: str, done: int) -> dict[str, str]:
    """Variables of the workers, beyond those that are set already."""
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    found = {
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "TOKENIZERS_PARALLELISM": "false",
        # verl's file logger begins its file anew in every process
        "VERL_FILE_LOGGER_PATH": str(job.folder.absolute() / f"verl-{done:06d}.jsonl"),
    }
    threads = max(1, (os.cpu_count() or 1) // job.workers)
    found["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS") or str(threads)
    if device == "cpu":
        found |= {"VERL_PLATFORM": "cpu", "VERL_USE_EXTERNAL_MODULES": "runners.verl.plugin"}
    return found | job.tracking.environment(job.folder.absolute())


def _run(job: SFTJob, place: VerlTrainer, config: Path, done: int, device: str) -> None:
    """One run of verl, from a checkpoint to the end."""
    Launch(
        title="fine-tuning with verl",
        command=(
            *("-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", str(job.workers), "-m", "runners.verl.sft_worker"),
            str(config.absolute()),
        ),
        folder=job.folder,
        temporary=Path(tempfile.mkdtemp(prefix="sft-")),  # the watchdog removes it
        environment=_environment(job, device, done),
        steps=job.steps,
        stall_seconds=place.stall_seconds,
    ).run(lambda: len(_metrics(job)))


def _metrics(job: SFTJob) -> list[dict[str, Any]]:
    """One line an update, of all processes that have worked at it; the last of each counts."""
    found: dict[int, dict[str, Any]] = {}
    for path in sorted(job.folder.glob("verl-*.jsonl")):
        for row in read_lines(path):
            figures = row["data"]
            found[row["step"]] = {
                "step": row["step"],
                "epoch": job.epoch(row["step"]),
                "loss": figures["train/loss"],
                "grad_norm": figures["train/grad_norm"],
                "tokens": figures["train/global_tokens"],
            }
    return [found[step] for step in sorted(found)]


def _write_rows(job: SFTJob) -> None:
    """The examples' tokens as parquet, in their order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "prompt": [list(tokens.prompt) for tokens in job.examples],
        "completion": [list(tokens.completion) for tokens in job.examples],
    }
    pq.write_table(pa.table(columns), job.folder / "train.parquet")
