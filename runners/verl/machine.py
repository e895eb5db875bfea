"""Where verl runs: every `auto` of the settings decided, and what its processes find there."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from runners.segments import FROZEN, Leg
from runners.trainer import TrainingJob

if TYPE_CHECKING:
    from runners.verl.trainer import VerlTrainer

Device = Literal["auto", "cpu", "cuda"]
Rollout = Literal["auto", "transformers", "vllm"]

SOCKET_ROOM = 40
"""Longest temporary folder that leaves room for Ray's socket names (107 bytes in all)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Devices, rollout and Ray of one run."""

    device: Literal["cpu", "cuda"]
    rollout: Literal["transformers", "vllm"]
    gpus_per_node: int
    nodes: int
    ray_address: str | None
    ray_folder: Path
    """Ray's own files, for the length of the run."""
    environment: Mapping[str, str]
    """Environment variables that every process of the run needs, on other machines too."""
    flash_attention: bool


@contextmanager
def decided(settings: VerlTrainer, job: TrainingJob, leg: Leg) -> Iterator[Machine]:
    """The machine for a job, and a folder for Ray that is gone afterwards.

    Raises `ValueError` for a device, a rollout or an algorithm that is not to be had here.
    """
    device, rollout = check_machine(settings)
    home = tempfile.gettempdir()
    home = home if len(home) <= SOCKET_ROOM else "/tmp"
    ray_folder = Path(tempfile.mkdtemp(prefix="ray-", dir=home))
    try:
        yield Machine(
            device=device,
            rollout=rollout,
            gpus_per_node=settings.gpus_per_node,
            nodes=settings.nodes,
            ray_address=settings.ray_address,
            ray_folder=ray_folder,
            environment=environment(job, device, rollout)
            | ({} if settings.ray_address is None else cluster_words())
            | {FROZEN: json.dumps(leg.frozen)},
            flash_attention=has_flash_attention(device),
        )
    finally:
        shutil.rmtree(ray_folder, ignore_errors=True)


def check_machine(
    settings: VerlTrainer,
) -> tuple[Literal["cpu", "cuda"], Literal["transformers", "vllm"]]:
    """Device and rollout; raises `ValueError` for what is not to be had here."""
    if settings.ray_address is not None and (settings.preset or settings.device == "cuda"):
        # the machine that starts a run on a cluster need not have a GPU of its own
        return "cuda", resolve_rollout(settings.rollout, "cuda")
    device = resolve_device(settings.device)
    if settings.preset is not None and device == "cpu":
        raise ValueError(
            f"trainer.preset={settings.preset!r} must run on a machine with a GPU, or on a cluster "
            "at trainer.ray_address, but torch sees no CUDA GPU; leave the preset out to train on "
            "a CPU"
        )
    if settings.ray_address is None and device == "cuda":
        check_gpus(settings.gpus_per_node)
    rollout = resolve_rollout(settings.rollout, device)
    if settings.algorithm == "ppo" and device == "cuda" and not _is_installed("flash_attn"):
        raise ValueError(
            "trainer.algorithm='ppo' on a GPU needs flash attention, in which verl loads its "
            "critic: pip install flash-attn"
        )
    return device, rollout


def check_gpus(wanted: int) -> None:
    """Raises `ValueError` where this machine has fewer GPUs."""
    import torch

    if torch.cuda.device_count() < wanted:
        raise ValueError(
            f"trainer.gpus_per_node must be at most the {torch.cuda.device_count()} GPUs of this "
            f"machine, but got {wanted}"
        )


def resolve_device(wanted: Device) -> Literal["cpu", "cuda"]:
    """The device to train on. Raises `ValueError` when a GPU is asked for and there is none."""
    if wanted == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise ValueError(
            "trainer.device must be one that this machine has, but got device='cuda' and torch "
            "sees no CUDA GPU"
        )
    return "cpu"


def resolve_rollout(
    wanted: Rollout, device: Literal["cpu", "cuda"]
) -> Literal["transformers", "vllm"]:
    """What generates. Raises `ValueError` when it is not installed or not meant for the device."""
    if wanted == "auto":
        wanted = "vllm" if device == "cuda" else "transformers"
    if wanted == "transformers" and device == "cuda":
        raise ValueError("trainer.rollout must be vllm on a GPU, but got rollout='transformers'")
    if wanted == "vllm" and not _is_installed("vllm"):
        raise ValueError(
            "trainer.rollout='vllm' needs vLLM: pip install 'curricle[cpu]' or 'curricle[gpu]'"
        )
    return wanted


def environment(job: TrainingJob, device: str, rollout: str) -> dict[str, str]:
    """Variables that every process of the run needs, beyond those that are set already."""
    folder = job.folder
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    plugins = ["runners.verl.plugin", os.environ.get("VERL_USE_EXTERNAL_MODULES")]
    found = {
        "HF_DATASETS_CACHE": str(folder / "cache"),
        "HF_HUB_OFFLINE": "1",
        "HYDRA_FULL_ERROR": "1",
        "RAY_DEDUP_LOGS": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "TOKENIZERS_PARALLELISM": "false",
        "VERL_USE_EXTERNAL_MODULES": ",".join(filter(None, plugins)),
    }
    if device == "cpu":
        threads = os.environ.get("OMP_NUM_THREADS") or str(os.cpu_count() or 1)
        found |= {"VERL_PLATFORM": "cpu", "OMP_NUM_THREADS": threads}
    if device == "cpu" and rollout == "vllm":
        paths.insert(0, str(write_vllm_metadata(folder / "metadata")))
        found |= {
            "VLLM_TARGET_DEVICE": "cpu",
            "VLLM_CPU_KVCACHE_SPACE": os.environ.get("VLLM_CPU_KVCACHE_SPACE", "1"),
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "VLLM_NO_USAGE_STATS": "1",
        }
    found |= job.tracking.environment(folder)
    return found | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def cluster_words() -> dict[str, str]:
    """What a process needs to be let into a cluster that runs already.

    A head that `ray start` starts where there is a token asks for it, from Ray 2.60 on, and a
    process that joins sends it only when told to; a cluster that asks for none takes it too.
    """
    told = "RAY_AUTH_TOKEN" in os.environ or "RAY_AUTH_TOKEN_PATH" in os.environ
    has_token = told or (Path.home() / ".ray" / "auth_token").is_file()
    return {"RAY_AUTH_MODE": "token"} if has_token and "RAY_AUTH_MODE" not in os.environ else {}


def write_vllm_metadata(folder: Path) -> Path:
    """Package metadata for the CPU build of vLLM, which brings `vllm` under another name.

    verl asks the installed packages for the version of `vllm`, and `vllm-cpu` leaves that
    unanswered. The folder answers it, on the PYTHONPATH of one run only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        version("vllm")
    except PackageNotFoundError:
        found = version("vllm-cpu")
        info = folder / f"vllm-{found}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {found}\n")
    return folder


def has_flash_attention(device: str) -> bool:
    """Whether verl can leave padding out."""
    return device == "cuda" and _is_installed("flash_attn")


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
