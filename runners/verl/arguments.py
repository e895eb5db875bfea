"""Our words in verl's: one table from the trainer's settings to verl's configuration.

The table is laid over verl's own configuration, composed by Hydra; every key must exist there, or
be marked with Hydra's `+` as an addition. The user's overrides come last and follow the same rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runners.algorithms import KL_TYPES
from runners.segments import Leg
from runners.tracking.trackers import run_name
from runners.trainer import TrainingJob
from runners.verl.composed import lay_over, verl_defaults
from runners.verl.machine import Machine

if TYPE_CHECKING:
    from runners.verl.trainer import VerlTrainer

ACTOR = "actor_rollout_ref.actor"
MODEL = "actor_rollout_ref.model"
REF = "actor_rollout_ref.ref"
ROLLOUT = "actor_rollout_ref.rollout"
KL_PLACES = ("loss", "reward")


@dataclass(frozen=True, slots=True)
class Files:
    """What was written for verl to read, and how long the prompts are."""

    job: Path
    train: Path
    validation: Path
    prompt_tokens: int
    """Tokens of the longest prompt."""


def configuration(
    trainer: VerlTrainer,
    job: TrainingJob,
    machine: Machine,
    files: Files,
    overrides: Mapping[str, Any],
    leg: Leg,
) -> Any:
    """verl's whole configuration for one segment of a job (an OmegaConf `DictConfig`).

    Raises `ValueError` for an override that verl does not know.
    """
    config = verl_defaults()
    tables = [
        _training(trainer, job, leg),
        _data(trainer, job, files),
        _rollout(trainer, job, machine, files),
        _machine(machine, trainer),
        _run(trainer, job, files, leg),
    ]
    for table in tables:
        lay_over(config, table)
    lay_over(config, overrides, "trainer.overrides")
    return config


def _training(trainer: VerlTrainer, job: TrainingJob, leg: Leg) -> dict[str, Any]:
    """The mathematics: these lines mean the same as the local trainer's code."""
    rule = trainer.rule
    penalty = {where: trainer.has_reference and trainer.kl_in == where for where in KL_PLACES}
    optimizer = {
        "weight_decay": trainer.weight_decay,
        "betas": list(trainer.betas),
        "clip_grad": trainer.max_grad_norm,
        "lr_scheduler_type": "constant",
        "lr_warmup_steps": 0,
    }
    return {
        "algorithm.adv_estimator": rule.estimator,
        "algorithm.norm_adv_by_std_in_grpo": rule.by_std,
        "algorithm.gamma": trainer.gamma,
        "algorithm.lam": trainer.lam,
        "algorithm.use_kl_in_reward": penalty["reward"],
        "algorithm.kl_penalty": KL_TYPES[trainer.kl_estimator],
        "algorithm.kl_ctrl.kl_coef": trainer.kl_coefficient,
        f"{ACTOR}.optim.lr": leg.learning_rate,
        **{f"{ACTOR}.optim.{name}": value for name, value in optimizer.items()},
        f"{ACTOR}.grad_clip": trainer.max_grad_norm,
        f"{ACTOR}.clip_ratio": trainer.clip_low,
        f"{ACTOR}.clip_ratio_low": trainer.clip_low,
        f"{ACTOR}.clip_ratio_high": trainer.clip_high,
        f"{ACTOR}.policy_loss.loss_mode": rule.loss,
        f"{ACTOR}.loss_agg_mode": rule.aggregation,
        # a constant, where a mean over the batch's longest response would change from step to step
        f"{ACTOR}.loss_scale_factor": leg.max_tokens,
        f"{ACTOR}.entropy_coeff": trainer.entropy_coefficient,
        f"{ACTOR}.calculate_entropy": True,
        f"{ACTOR}.use_kl_loss": penalty["loss"],
        f"{ACTOR}.kl_loss_coef": trainer.kl_coefficient,
        f"{ACTOR}.kl_loss_type": KL_TYPES[trainer.kl_estimator],
        f"{ACTOR}.ppo_epochs": 1,
        f"{ACTOR}.ppo_mini_batch_size": trainer.prompts_per_step,
        f"{ACTOR}.data_loader_seed": job.seed,
        f"{ACTOR}.fsdp_config.seed": job.seed,
        f"{MODEL}.lora_rank": trainer.lora_rank,
        f"{MODEL}.lora_alpha": 2 * trainer.lora_rank,
        f"{MODEL}.lora.merge": trainer.lora_rank > 0,
        "critic.optim.lr": trainer.critic_learning_rate,
        **{f"critic.optim.{name}": value for name, value in optimizer.items()},
        "critic.grad_clip": trainer.max_grad_norm,
        "critic.fsdp.seed": job.seed,
    }


def _data(trainer: VerlTrainer, job: TrainingJob, files: Files) -> dict[str, Any]:
    return {
        "data.train_files": [str(files.train)],
        "data.val_files": [str(files.validation)],
        "data.train_batch_size": trainer.prompts_per_step,
        "data.max_prompt_length": files.prompt_tokens,
        "data.max_response_length": job.sampling.max_tokens,
        "data.filter_overlong_prompts": False,
        "data.dataloader_num_workers": 0,
        "data.shuffle": False,
        "data.seed": job.seed,
        "reward.reward_manager.source": "importlib",
        "reward.reward_manager.name": "VerdictRewardManager",
        "reward.reward_manager.module.path": "pkg://runners.verl.reward",
    }


def _rollout(
    trainer: VerlTrainer, job: TrainingJob, machine: Machine, files: Files
) -> dict[str, Any]:
    sampling, longest = job.sampling, files.prompt_tokens + job.sampling.max_tokens
    names = {"transformers": "transformers", "vllm": "vllm"}
    if machine.device == "cpu":
        names["vllm"] = "vllm_cpu"
    table = {
        f"{ROLLOUT}.name": names[machine.rollout],
        f"{ROLLOUT}.n": trainer.samples_per_prompt,
        f"{ROLLOUT}.temperature": sampling.temperature,
        f"{ROLLOUT}.top_p": sampling.top_p,
        f"{ROLLOUT}.top_k": sampling.top_k,
        f"{ROLLOUT}.do_sample": sampling.temperature > 0,
        f"{ROLLOUT}.seed": job.seed,
        f"{ROLLOUT}.tensor_model_parallel_size": trainer.tensor_parallel,
        f"{ROLLOUT}.gpu_memory_utilization": trainer.gpu_memory,
        f"{ROLLOUT}.max_model_len": longest,
        f"{ROLLOUT}.calculate_log_probs": machine.rollout == "vllm",
        f"{ROLLOUT}.val_kwargs.n": max(job.evaluation_samples, 1),
        f"{ROLLOUT}.val_kwargs.temperature": sampling.temperature,
        f"{ROLLOUT}.val_kwargs.top_p": sampling.top_p,
        f"{ROLLOUT}.val_kwargs.top_k": sampling.top_k,
        f"{ROLLOUT}.val_kwargs.do_sample": sampling.temperature > 0,
    }
    if machine.device == "cpu" and machine.rollout == "vllm":
        table |= {
            f"{ROLLOUT}.dtype": "float32",
            f"{ROLLOUT}.load_format": "auto",
            f"{ROLLOUT}.enforce_eager": True,
            f"{ROLLOUT}.free_cache_engine": False,
            f"+{ROLLOUT}.enable_sleep_mode": False,
            f"{ROLLOUT}.enable_chunked_prefill": False,
            f"{ROLLOUT}.max_num_seqs": 32,
            f"{ROLLOUT}.max_num_batched_tokens": max(512, longest),
            f"{ROLLOUT}.checkpoint_engine.update_weights_bucket_megabytes": 256,
        }
    return table


def _machine(machine: Machine, trainer: VerlTrainer) -> dict[str, Any]:
    """Device, precision, attention, workers and Ray."""
    cpu = machine.device == "cpu"
    attention = "flash_attention_2" if machine.flash_attention else "sdpa"
    table: dict[str, Any] = {
        "trainer.device": machine.device,
        "trainer.n_gpus_per_node": machine.gpus_per_node,
        "trainer.nnodes": machine.nodes,
        f"{MODEL}.use_remove_padding": machine.flash_attention,
        f"+{MODEL}.override_config.attn_implementation": attention,
        "critic.model.use_remove_padding": machine.flash_attention,
        "+critic.model.override_config.attn_implementation": attention,
        f"{ACTOR}.strategy": "fsdp2",
        "critic.strategy": "fsdp2",
        f"{ACTOR}.use_dynamic_bsz": True,
        "+ray_kwargs.ray_init.include_dashboard": False,
        "+ray_kwargs.ray_init.address": machine.ray_address or "local",
        "+ray_kwargs.ray_init.runtime_env.env_vars": dict(machine.environment),
    }
    if machine.ray_address is None:
        table["+ray_kwargs.ray_init._temp_dir"] = str(machine.ray_folder)
    if not cpu:
        return table | _gpu_memory(trainer)
    table |= {
        f"{MODEL}.enable_gradient_checkpointing": False,
        "critic.model.enable_gradient_checkpointing": False,
        f"{ACTOR}.use_torch_compile": False,
        f"{ROLLOUT}.agent.num_workers": 1,
        "reward.num_workers": 1,
        "transfer_queue.backend.SimpleStorage.num_data_storage_units": 1,
    }
    for engine in (f"{ACTOR}.fsdp_config", f"{REF}.fsdp_config", "critic.fsdp"):
        table[f"{engine}.use_torch_compile"] = False
        table[f"+{engine}.mixed_precision.param_dtype"] = "fp32"
    if machine.ray_address is None:
        # logical counts: verl places workers by GPU, and every helper actor claims a CPU
        table["ray_kwargs.ray_init.num_cpus"] = 16
        table["+ray_kwargs.ray_init.num_gpus"] = machine.gpus_per_node
    return table


def _gpu_memory(trainer: VerlTrainer) -> dict[str, Any]:
    """Where weights lie between the phases, and how wide they are."""
    table: dict[str, Any] = {}
    for engine in (f"{ACTOR}.fsdp_config", "critic.fsdp"):
        table[f"{engine}.param_offload"] = trainer.offload
        table[f"{engine}.optimizer_offload"] = trainer.offload
    table[f"{REF}.fsdp_config.param_offload"] = trainer.offload
    if trainer.lora_rank:
        table[f"{ACTOR}.fsdp_config.model_dtype"] = "bfloat16"
    return table


def _run(trainer: VerlTrainer, job: TrainingJob, files: Files, leg: Leg) -> dict[str, Any]:
    tokens = max(trainer.tokens_per_gpu, files.prompt_tokens + job.sampling.max_tokens)
    every = job.evaluate_every if job.evaluation else 0
    return {
        "+curricle.job_file": str(files.job),
        "+curricle.segments": bool(trainer.segments),
        "+curricle.text_characters": job.tracking.rollouts.characters,
        f"{MODEL}.path": str(job.model),
        f"{MODEL}.custom_chat_template": job.prompter.style.chat_template,
        "critic.model.path": str(job.model),
        "critic.model.tokenizer_path": str(job.model),
        f"{ACTOR}.ppo_max_token_len_per_gpu": tokens,
        "critic.ppo_max_token_len_per_gpu": tokens,
        "trainer.v1.trainer_mode": "curricle",
        "trainer.total_epochs": 1,
        "trainer.total_training_steps": leg.last,
        "trainer.save_freq": trainer.checkpoint_every,
        "trainer.test_freq": every or -1,
        "trainer.val_before_train": False,
        "trainer.resume_mode": "auto",
        "trainer.default_local_dir": str(job.folder / "checkpoints"),
        "trainer.max_actor_ckpt_to_keep": 1,
        "trainer.max_critic_ckpt_to_keep": 1,
        "trainer.logger": ["console", *job.tracking.names],
        "trainer.project_name": job.tracking.project,
        "trainer.experiment_name": run_name(job.folder),
        "+hydra.run.dir": str(job.folder / "hydra"),
    }
