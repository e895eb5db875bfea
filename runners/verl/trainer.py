"""The `verl` trainer: writes verl's input, runs `main_ppo` in processes of its own, collects.

`train` is the parent: it never imports verl. The run's processes hang from a watchdog
(`watchdog.py`) and are ended with it; what they have to say comes back as JSON lines and as
`verl.log`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from curricula.base import Item, Scheduler
from difficulty.engines.base import Sampling
from difficulty.verl_parquet import verl_row, write_verl_parquet
from domains.problem import Problem
from runners.files import count_lines
from runners.run_lock import alone_in
from runners.segments import Leg
from runners.trainer import Trainer, TrainingJob
from runners.verl.arguments import Files, configuration
from runners.verl.checkpoints import last_step
from runners.verl.composed import Overrides, check_overrides
from runners.verl.job_file import JobFile
from runners.verl.launch import Launch
from runners.verl.machine import Device, Machine, Rollout, check_machine, decided
from runners.verl.presets import Preset
from runners.verl.versions import installed_version
from runners.verl.weights import write_model


class VerlTrainer(Trainer):
    """verl's `main_ppo` with our curriculum inside the run."""

    kind: Literal["verl"] = "verl"
    device: Device = "auto"
    """`auto` takes a GPU where there is one."""
    rollout: Rollout = "auto"
    """What generates: `auto` is vLLM on GPUs and transformers (no vLLM needed) on a CPU."""
    gpus_per_node: int = Field(1, ge=1)
    """GPUs on each machine; on a CPU the number of worker processes."""
    nodes: int = Field(1, ge=1)
    ray_address: str | None = None
    """A running Ray cluster, such as `10.0.0.1:6379`, whose machines share this one's files; None
    starts one for this run alone."""
    stall_seconds: float = Field(1800.0, gt=0)
    """A run without a finished step for this long is ended: a hanging worker says nothing."""
    preset: Preset | None = None
    """Sizes for one GPU (`debug`), four, eight, or two machines of eight, by the model: fills in
    whatever is not given (`runners/verl/presets.py`)."""
    tensor_parallel: int = Field(1, ge=1)
    """GPUs that share one copy of the model in a rollout."""
    tokens_per_gpu: int = Field(16384, ge=1)
    """Prompt and response tokens of one micro-batch on each GPU."""
    gpu_memory: float = Field(0.5, gt=0, lt=1)
    """Share of a GPU's memory that vLLM may take while it rolls out."""
    offload: bool = False
    """Keep weights and optimizer in the host's memory while vLLM rolls out."""
    overrides: Overrides = Field(default_factory=dict)
    """verl's own settings, by dotted key or nested (`actor_rollout_ref.actor.ppo_epochs: 2`)."""

    @property
    def has_reference(self) -> bool:
        """Whether the starting policy is kept beside the one that trains."""
        return self.kl_coefficient > 0

    def checkpoint_bytes(self, parameters: int, trained: int) -> int:
        return 4 * parameters + 8 * trained

    def check(self, scheduler: Scheduler, sampling: Sampling) -> None:
        """Raises `ValueError` for what cannot run here, long before Ray starts."""
        installed_version()
        if sampling.stop:
            raise ValueError(
                "sampling.stop must be empty for trainer.kind=verl (its rollouts end at the end "
                f"token only), but got stop={list(sampling.stop)}"
            )
        if sampling.temperature == 0:
            raise ValueError(
                "decoding.temperature must be above 0 to train, but got 0: greedy rollouts of a "
                "prompt are all the same"
            )
        check_overrides(self.overrides)
        gpus = self.gpus_per_node * self.nodes
        if gpus % self.tensor_parallel:
            raise ValueError(
                f"trainer.tensor_parallel must divide the {gpus} GPUs, but got "
                f"{self.tensor_parallel}"
            )
        check_machine(self)

    def train(self, job: TrainingJob) -> Path:
        """Train to the end, resuming what stands in `job.folder`; returns the model's folder.

        Raises `ValueError` for settings that cannot run here, before Ray starts, and `Fault` with
        the end of verl's log when the run fails or stalls.
        """
        model = job.folder / "model"
        if model.is_dir():
            return model
        self.check(job.scheduler, job.sampling)
        # verl's processes need not stand where this one does
        job = replace(job, folder=job.folder.absolute(), model=job.model.absolute())
        with alone_in(job.folder):
            self._train_legs(job, model)
        return model

    def _train_legs(self, job: TrainingJob, model: Path) -> None:
        """Train what no checkpoint covers, and write the model."""
        checkpoints = job.folder / "checkpoints"
        for leg in self.legs(job.sampling.max_tokens):
            if last_step(checkpoints) >= leg.last:
                continue
            self._train_leg(job, leg)
            if last_step(checkpoints) < leg.last:  # the curriculum is over
                break
        actor = checkpoints / f"global_step_{last_step(checkpoints)}" / "actor"
        write_model(actor, job.model, model)

    def _train_leg(self, job: TrainingJob, leg: Leg) -> None:
        """One run of verl: from the last checkpoint to the end of a segment."""
        job = replace(job, sampling=job.sampling.model_copy(update={"max_tokens": leg.max_tokens}))
        with decided(self, job, leg) as machine:
            files = self.write_files(job)
            config = configuration(self, job, machine, files, self.overrides, leg)
            _write_yaml(config, job.folder / "verl.yaml")
            self._run(job.folder, machine)

    def write_files(self, job: TrainingJob) -> Files:
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
            evaluation={
                p.uid: Item(p.uid, p.domain, p.source, job.evaluation_buckets.get(p.uid))
                for p in job.evaluation
            },
            evaluation_k=job.evaluation_k,
            rollouts=job.tracking.rollouts,
            training_folder=job.folder,
            evaluations_file=job.folder.parent / "evaluations.jsonl",
        ).write(files.job)
        return files

    def _run(self, folder: Path, machine: Machine) -> None:
        """Run verl to its end."""
        metrics = folder / "metrics.jsonl"
        Launch(
            title="training with verl",
            command=(
                *("-m", "verl.trainer.main_ppo"),
                *(f"--config-path={folder}", "--config-name=verl"),
            ),
            folder=folder,
            temporary=machine.ray_folder,
            environment=machine.environment,
            steps=self.steps,
            stall_seconds=self.stall_seconds,
        ).run(lambda: count_lines(metrics))


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


def _write_yaml(config: Any, path: Path) -> None:
    from omegaconf import OmegaConf

    path.write_text(OmegaConf.to_yaml(config))
