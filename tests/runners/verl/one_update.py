"""One update of verl's own workers, without Ray: python one_update.py TASKS RESULTS

TASKS is a pickled list of trainer, job and batch; RESULTS gets what verl's actor (and critic) made
of each: advantages, loss, gradient norm and all weights afterwards. The steps are those of verl's
synchronous trainer, which calls the same methods of the same workers through Ray.
"""

import os
import pickle
import sys
from functools import partial
from pathlib import Path
from typing import Any

os.environ.update(
    VERL_PLATFORM="cpu", VERL_USE_EXTERNAL_MODULES="runners.verl.plugin", OMP_NUM_THREADS="1",
    RANK="0", WORLD_SIZE="1", LOCAL_RANK="0", LOCAL_WORLD_SIZE="1", MASTER_ADDR="127.0.0.1",
    MASTER_PORT="0",
)  # fmt: skip

import numpy as np
import torch
import torch.distributed
from omegaconf import OmegaConf
from tensordict import TensorDict
from verl import DataProto
from verl.trainer.ppo.v1.utils import compute_advantage_for_multi_trajectories
from verl.utils import tensordict_utils
from verl.utils.config import omega_conf_to_dataclass
from verl.workers.config import TrainingWorkerConfig
from verl.workers.utils.losses import value_loss
from verl.workers.utils.padding import response_from_nested, response_to_nested

from runners.trainer import TrainingJob
from runners.verl.arguments import configuration
from runners.verl.cpu_workers import CPUActorRolloutRefWorker, CPUTrainingWorker
from runners.verl.machine import decided
from runners.verl.trainer import VerlTrainer


def main(tasks: Path, results: Path) -> None:
    torch.distributed.init_process_group(
        "gloo", store=torch.distributed.HashStore(), rank=0, world_size=1
    )
    found = [updated(*task) for task in pickle.loads(tasks.read_bytes())]
    torch.save(found, results)


def updated(trainer: VerlTrainer, job: TrainingJob, batch: dict[str, Any]) -> dict[str, Any]:
    """What one update of a fresh policy on a batch gives."""
    job.folder.mkdir(parents=True, exist_ok=True)
    leg = trainer.legs(job.sampling.max_tokens)[0]
    with decided(trainer, job, leg) as machine:
        config = configuration(trainer, job, machine, trainer.write_files(job), {}, leg)
    OmegaConf.resolve(config)
    for part in (config.actor_rollout_ref.actor, config.critic):
        part.optim.total_training_steps = 1
    actor = CPUActorRolloutRefWorker(config.actor_rollout_ref, role="actor")
    actor.init_model()
    rows = rows_of(batch)
    told = tensordict_utils.get_tensordict(
        dict(rows),
        {"calculate_entropy": True, "compute_loss": False, "temperature": job.sampling.temperature},
    )
    mask = rows["response_mask"]
    log_probs = actor.compute_log_prob(told)["log_probs"]
    rows["old_log_probs"] = response_from_nested(log_probs, mask)
    result: dict[str, Any] = {}
    critic = critic_of(config) if trainer.algorithm == "ppo" else None
    if critic:
        result["critic_before"] = weights(critic.engine.module)
        values = critic.infer_batch(tensordict_utils.get_tensordict(dict(rows), {
            "compute_loss": False, "temperature": job.sampling.temperature
        }))["values"]  # fmt: skip
        rows["values"] = response_from_nested(values, mask)
    estimated = advantages_of(config.algorithm, rows, batch)
    for name in ("advantages", "returns"):
        rows[name] = response_to_nested(estimated[name], mask)
    # what verl's trainer sends along with a whole batch as one mini-batch
    size = {
        "calculate_entropy": True, "global_batch_size": len(rows), "mini_batch_size": len(rows),
        "epochs": 1, "seed": job.seed, "dataloader_kwargs": {"shuffle": False},
        "temperature": job.sampling.temperature,
        "distillation_use_topk": False, "distillation_only": False,
    }  # fmt: skip
    if critic:
        told = tensordict_utils.get_tensordict(dict(rows), size)
        result["value_loss"] = metrics_of(critic.train_mini_batch(told))["critic/vf_loss"]
        result["critic"] = weights(critic.engine.module)
    metrics = metrics_of(actor.update_actor(tensordict_utils.get_tensordict(dict(rows), size)))
    return result | {
        "advantages": estimated["advantages"],
        "loss": metrics["actor/pg_loss"],
        "grad_norm": metrics["grad_norm"],
        "weights": weights(actor.actor.engine.module),
    }


def critic_of(config: Any) -> Any:
    """verl's critic, started as its trainer does."""
    critic = omega_conf_to_dataclass(config.critic)
    critic.engine.infer_max_token_len_per_gpu = critic.ppo_infer_max_token_len_per_gpu
    critic.engine.max_token_len_per_gpu = critic.ppo_infer_max_token_len_per_gpu
    worker = CPUTrainingWorker(
        TrainingWorkerConfig(
            model_type="value_model",
            model_config=critic.model,
            engine_config=critic.engine,
            optimizer_config=critic.optim,
            checkpoint_config=critic.checkpoint,
        )
    )
    worker.reset()
    worker.set_loss_fn(partial(value_loss, config=critic))
    return worker


def rows_of(batch: dict[str, Any]) -> TensorDict:
    """A batch as verl's agent loop stores it: no padding, a row a completion."""
    rows = []
    for prompt, completion, reward in zip(
        batch["prompts"], batch["responses"], batch["rewards"], strict=True
    ):
        tokens = torch.tensor([*prompt, *completion])
        scores = torch.zeros(len(completion))
        scores[-1] = reward
        mask = torch.ones(len(completion), dtype=torch.int64)
        rows.append({
            "prompts": torch.tensor(prompt), "responses": torch.tensor(completion),
            "input_ids": tokens, "position_ids": torch.arange(len(tokens)),
            "response_mask": mask, "loss_mask": mask, "rm_scores": scores,
        })  # fmt: skip
    columns = {
        name: torch.nested.as_nested_tensor([row[name] for row in rows], layout=torch.jagged)
        for name in rows[0]
    }
    return TensorDict(columns, batch_size=len(rows))


def advantages_of(algorithm: Any, rows: TensorDict, batch: dict[str, Any]) -> Any:
    """verl's estimate, as its trainer's `_compute_advantage` makes it; (rows, tokens) each."""
    names = [n for n in ("response_mask", "rm_scores", "old_log_probs", "values") if n in rows]
    data = DataProto(batch=rows.select(*names).to_padded_tensor())
    data.batch["token_level_rewards"] = data.batch["rm_scores"]
    groups = batch["groups"]
    data.non_tensor_batch["uid"] = np.array([str(group) for group in groups], dtype=object)
    estimated = compute_advantage_for_multi_trajectories(
        data,
        batch_keys=[f"{group}_{row}_0" for row, group in enumerate(groups)],
        adv_estimator=algorithm.adv_estimator,
        gamma=algorithm.gamma,
        lam=algorithm.lam,
        num_repeat=groups.count(groups[0]),
        norm_adv_by_std_in_grpo=algorithm.norm_adv_by_std_in_grpo,
        config=algorithm,
    )
    return estimated.batch


def metrics_of(output: Any) -> dict[str, float]:
    from verl.utils.metric import reduce_metrics

    reduced = reduce_metrics(tensordict_utils.get(output, "metrics"))
    return {name: float(value) for name, value in reduced.items()}


def weights(module: Any) -> dict[str, torch.Tensor]:
    """Whole, out of the shards."""
    return {
        name: (value.full_tensor() if hasattr(value, "full_tensor") else value).detach().clone()
        for name, value in module.state_dict().items()
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
