"""The `verl` trainer: writes verl's input, runs `main_ppo` in processes of its own, collects.

`train` is the parent: it never imports verl. The run's processes hang from a watchdog
(`watchdog.py`) and are ended with it; what they have to say comes back as JSON lines and as
`verl.log`.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from curricula.base import Item
from difficulty.export import verl_row, write_verl_parquet
from domains.problem import Problem
from runners.console import progress_bar
from runners.trainer import Trainer, TrainingJob
from runners.verl import json_lines
from runners.verl.arguments import Files, Machine, configuration
from runners.verl.job_file import JobFile
from runners.verl.vllm_stub import write_stub
from runners.verl.watchdog import end_run
from runners.verl.weights import last_checkpoint, write_model

POLL_SECONDS = 0.5
SOCKET_ROOM = 40
"""Longest temporary folder that leaves room for Ray's socket names (107 bytes in all)."""


class VerlTrainer(Trainer):
    """verl's `main_ppo` with our curriculum inside the run."""

    kind: Literal["verl"] = "verl"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto` takes a GPU where there is one."""
    rollout: Literal["auto", "transformers", "vllm"] = "auto"
    """What generates: `auto` is vLLM on GPUs and transformers (no vLLM needed) on a CPU."""
    gpus_per_node: int = Field(1, ge=1)
    """GPUs on each machine; on a CPU the number of worker processes."""
    nodes: int = Field(1, ge=1)
    ray_address: str | None = None
    """A running Ray cluster, such as `10.0.0.1:6379`; None starts one for this run alone."""
    stall_seconds: float = Field(1800.0, gt=0)
    """A run without a finished step for this long is ended: a hanging worker says nothing."""
    overrides: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """verl's own settings by dotted key (`actor_rollout_ref.actor.entropy_coeff: 0.001`)."""

    def train(self, job: TrainingJob) -> Path:
        """Train to the end, resuming what stands in `job.folder`; returns the model's folder.

        Raises `ValueError` for settings that cannot run here, before Ray starts, and
        `RuntimeError` with the end of verl's log when the run fails or stalls.
        """
        model = job.folder / "model"
        if model.is_dir():
            return model
        if job.sampling.stop:
            raise ValueError(
                "sampling.stop must be empty for trainer.kind=verl (its rollouts end at the end "
                f"token only), but got stop={list(job.sampling.stop)}"
            )
        job.folder.mkdir(parents=True, exist_ok=True)
        with self._machine(job.folder) as machine:
            config = configuration(self, job, machine, self._write(job), self.overrides)
            _write_yaml(config, job.folder / "verl.yaml")
            self._run(job.folder, machine)
        checkpoint = last_checkpoint(job.folder / "checkpoints")
        if checkpoint is None:
            raise RuntimeError(f"verl ended without a checkpoint; see {job.folder / 'verl.log'}")
        write_model(checkpoint / "actor", job.model, model)
        return model

    @contextmanager
    def _machine(self, folder: Path) -> Iterator[Machine]:
        """Every `auto` decided, and a folder for Ray that is gone afterwards."""
        device = resolve_device(self.device)
        rollout = self.rollout
        if rollout == "auto":
            rollout = "vllm" if device == "cuda" else "transformers"
        if rollout == "transformers" and device == "cuda":
            raise ValueError("trainer.rollout must be vllm on a GPU, but got rollout=transformers")
        if rollout == "vllm" and importlib.util.find_spec("vllm") is None:
            raise ValueError(
                "trainer.rollout=vllm needs vLLM: pip install 'curricle[cpu]' or 'curricle[gpu]'"
            )
        root = tempfile.gettempdir()
        ray_folder = Path(
            tempfile.mkdtemp(prefix="ray-", dir=root if len(root) <= SOCKET_ROOM else "/tmp")
        )
        try:
            yield Machine(
                device=device,
                rollout=rollout,
                gpus_per_node=self.gpus_per_node,
                nodes=self.nodes,
                ray_address=self.ray_address,
                ray_folder=ray_folder,
                environment=_environment(folder, device, rollout),
                flash_attention=device == "cuda"
                and importlib.util.find_spec("flash_attn") is not None,
            )
        finally:
            shutil.rmtree(ray_folder, ignore_errors=True)

    def _write(self, job: TrainingJob) -> Files:
        """The job, training rows and validation rows for verl, in `job.folder`."""
        rows = [(job.problems[item.uid], item.bucket) for item in job.pool]
        watched = [(problem, None) for problem in job.evaluation] or rows[:1]
        files = Files(
            job=job.folder / "job.json",
            train=job.folder / "train.parquet",
            validation=job.folder / "validation.parquet",
            prompt_tokens=longest_prompt(job, [problem for problem, _ in rows + watched]),
        )
        for path, listed in ((files.train, rows), (files.validation, watched)):
            write_verl_parquet(
                path,
                [
                    verl_row(problem, index, job.prompter, {"bucket": bucket})
                    for index, (problem, bucket) in enumerate(listed)
                ],
            )
        JobFile(
            scheduler=job.scheduler.model_dump(mode="json"),
            pool=job.pool,
            steps=self.steps,
            prompts_per_step=self.prompts_per_step,
            seed=job.seed,
            evaluation={p.uid: Item(p.uid, p.domain, p.source) for p in job.evaluation},
            training_folder=job.folder.absolute(),
            evaluations_file=(job.folder.parent / "evaluations.jsonl").absolute(),
        ).write(files.job)
        return files

    def _run(self, folder: Path, machine: Machine) -> None:
        """Run verl to its end under a watchdog and a progress bar."""
        mark = secrets.token_hex(8)
        command = [
            *(sys.executable, "-m", "runners.verl.watchdog", mark),
            *(sys.executable, "-m", "verl.trainer.main_ppo"),
            *(f"--config-path={folder.absolute()}", "--config-name=verl"),
        ]
        log = folder / "verl.log"
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    command,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=os.environ | dict(machine.environment),
                )
                code = self._wait(process, folder)
        finally:
            process.kill()
            process.wait()
            end_run(mark)
        if code != 0:
            raise RuntimeError(f"verl ended with code {code}; {log} ends with:\n{_tail(log)}")

    def _wait(self, process: subprocess.Popen[bytes], folder: Path) -> int:
        """verl's exit code; raises when no step finishes within the time limit."""
        done, changed = -1, time.monotonic()
        with progress_bar("training with verl") as progress:
            while (code := process.poll()) is None:
                time.sleep(POLL_SECONDS)
                rows = json_lines.read(folder / "metrics.jsonl")
                if len(rows) != done:
                    done, changed = len(rows), time.monotonic()
                    progress(done, self.steps)
                if time.monotonic() - changed > self.stall_seconds:
                    log = folder / "verl.log"
                    raise RuntimeError(
                        f"no training step finished within trainer.stall_seconds="
                        f"{self.stall_seconds:g}; the run was ended. {log} ends with:\n{_tail(log)}"
                    )
        return code


def resolve_device(wanted: Literal["auto", "cpu", "cuda"]) -> Literal["cpu", "cuda"]:
    """The device to train on. Raises `ValueError` when a GPU is asked for and there is none."""
    if wanted == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise ValueError("trainer.device=cuda needs a CUDA GPU, but torch sees none here")
    return "cpu"


def longest_prompt(job: TrainingJob, problems: list[Problem]) -> int:
    """Tokens of the longest prompt; raises `ValueError` when it does not fit the model."""
    from transformers import AutoConfig, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(job.model)
    template = job.prompter.style.chat_template
    lengths = {
        problem.uid: len(
            tokenizer.apply_chat_template(
                [dict(message) for message in job.prompter.messages(problem)],
                chat_template=template,
                add_generation_prompt=True,
                return_dict=False,
            )
        )
        for problem in problems
    }
    uid, longest = max(lengths.items(), key=lambda pair: pair[1])
    room = getattr(AutoConfig.from_pretrained(job.model), "max_position_embeddings", None)
    if room is not None and longest + job.sampling.max_tokens > room:
        raise ValueError(
            f"prompt and completion must fit the model's {room} positions, but problem {uid} has "
            f"{longest} prompt tokens and sampling.max_tokens={job.sampling.max_tokens}"
        )
    return longest


def _environment(folder: Path, device: str, rollout: str) -> dict[str, str]:
    """Variables that every process of the run needs, on other machines too."""
    home = str(Path(__file__).parents[2])
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    found = {
        "VERL_USE_EXTERNAL_MODULES": "runners.verl.plugin",
        "HF_DATASETS_CACHE": str(folder.absolute() / "cache"),
        "HF_HUB_OFFLINE": "1",
        "HYDRA_FULL_ERROR": "1",
        "RAY_DEDUP_LOGS": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if device == "cpu":
        threads = os.environ.get("OMP_NUM_THREADS") or str(os.cpu_count() or 1)
        found |= {"VERL_PLATFORM": "cpu", "OMP_NUM_THREADS": threads}
    if device == "cpu" and rollout == "vllm":
        paths.insert(0, str(write_stub(folder.absolute() / "stub")))
        found |= {
            "VLLM_TARGET_DEVICE": "cpu",
            "VLLM_CPU_KVCACHE_SPACE": os.environ.get("VLLM_CPU_KVCACHE_SPACE", "1"),
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "VLLM_NO_USAGE_STATS": "1",
        }
    return found | {"PYTHONPATH": os.pathsep.join(paths)}


def _write_yaml(config: Any, path: Path) -> None:
    from omegaconf import OmegaConf

    path.write_text(OmegaConf.to_yaml(config))


def _tail(path: Path, lines: int = 40) -> str:
    """The end of a log file."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
