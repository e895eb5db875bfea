"""Our words in verl's, checked against the configuration that verl itself composes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from difficulty.engines.base import Sampling
from difficulty.prompts import PLAIN_TEMPLATE, Prompter, PromptFormat
from runners.tracking.trackers import TrackingSettings
from runners.trainer import TrainingJob
from runners.verl.arguments import Files, configuration
from runners.verl.composed import check_overrides, lay_over, verl_defaults
from runners.verl.machine import Machine, cluster_words, environment
from runners.verl.trainer import VerlTrainer

JobMaker = Callable[..., TrainingJob]
TrainerMaker = Callable[..., VerlTrainer]

CPU = Machine("cpu", "transformers", 1, 1, None, Path("/tmp/ray-x"), {"A": "1"}, False)
CUDA = Machine("cuda", "vllm", 8, 2, "10.0.0.1:6379", Path("/tmp/ray-x"), {}, True)
FILES = Files(Path("job.json"), Path("train.parquet"), Path("validation.parquet"), 20)


def compose(job: TrainingJob, trainer: VerlTrainer, machine: Machine = CPU, leg: int = -1) -> Any:
    return configuration(
        trainer, job, machine, FILES, trainer.overrides, trainer.legs(job.sampling.max_tokens)[leg]
    )


@pytest.mark.parametrize(
    ("ours", "estimator", "by_std", "loss", "aggregation", "clip"),
    [
        ("grpo", "grpo", True, "vanilla", "token-mean", (0.2, 0.2)),
        ("ppo", "gae", True, "vanilla", "token-mean", (0.2, 0.2)),
        ("reinforce++", "reinforce_plus_plus", True, "vanilla", "token-mean", (0.2, 0.2)),
        ("REINFORCE++-baseline", "reinforce_plus_plus_baseline", True, "vanilla", "token-mean",
         (0.2, 0.2)),
        ("RLOO", "rloo", True, "vanilla", "token-mean", (0.2, 0.2)),
        ("Dr.GRPO", "grpo", False, "vanilla", "seq-mean-token-sum-norm", (0.2, 0.2)),
        ("dapo", "grpo", True, "vanilla", "token-mean", (0.2, 0.28)),
        ("gspo", "grpo", True, "gspo", "seq-mean-token-mean", (3e-4, 4e-4)),
    ],
)  # fmt: skip
def test_each_algorithm_is_one_row_of_verls_settings(
    make_job: JobMaker, make_trainer: TrainerMaker, ours: str, estimator: str, by_std: bool,
    loss: str, aggregation: str, clip: tuple[float, float],
) -> None:  # fmt: skip
    config = compose(make_job(), make_trainer(algorithm=ours))
    actor = config.actor_rollout_ref.actor
    assert config.algorithm.adv_estimator == estimator
    assert config.algorithm.norm_adv_by_std_in_grpo is by_std
    assert (actor.policy_loss.loss_mode, actor.loss_agg_mode) == (loss, aggregation)
    assert (actor.clip_ratio_low, actor.clip_ratio_high) == clip
    assert actor.loss_scale_factor == 4


def test_exploration_has_names_of_its_own(make_job: JobMaker, make_trainer: TrainerMaker) -> None:
    trainer = make_trainer(
        entropy_coefficient=0.001, kl_coefficient=0.02, kl_estimator="k1", kl_in="reward",
        algorithm="dapo", clip_high=0.4, samples_per_prompt=6,
    )  # fmt: skip
    config = compose(make_job(sampling=Sampling(temperature=1.2, top_p=0.8)), trainer)
    actor, rollout = config.actor_rollout_ref.actor, config.actor_rollout_ref.rollout
    assert (actor.entropy_coeff, actor.clip_ratio_low, actor.clip_ratio_high) == (0.001, 0.2, 0.4)
    assert (actor.use_kl_loss, config.algorithm.use_kl_in_reward) == (False, True)
    assert (config.algorithm.kl_penalty, config.algorithm.kl_ctrl.kl_coef) == ("kl", 0.02)
    assert (rollout.n, rollout.temperature, rollout.top_p) == (6, 1.2, 0.8)


def test_a_segment_has_its_own_rate_length_and_end(
    make_job: JobMaker, make_trainer: TrainerMaker
) -> None:
    segments = [{"until": 3, "learning_rate": 1e-5, "max_tokens": 2, "frozen": ["*embed*"]}]
    trainer = make_trainer(steps=9, segments=segments)
    job = make_job()
    first, rest = (compose(job, trainer, leg=i) for i in (0, 1))
    assert [c.trainer.total_training_steps for c in (first, rest)] == [3, 9]
    assert [c.actor_rollout_ref.actor.optim.lr for c in (first, rest)] == [1e-5, 1e-3]
    assert first.curricle.segments
    assert [leg.max_tokens for leg in trainer.legs(4)] == [2, 4]


def test_the_mathematics_of_the_settings_reaches_verl(
    make_job: JobMaker, make_trainer: TrainerMaker
) -> None:
    job = make_job(sampling=Sampling(temperature=0.7, top_p=0.9, top_k=5, max_tokens=9))
    config = compose(
        job,
        make_trainer(
            learning_rate=2e-4, critic_learning_rate=3e-3, betas=(0.8, 0.95), weight_decay=0.1,
            max_grad_norm=0.5, clip_low=0.1, clip_high=0.3, kl_coefficient=0.02, gamma=0.99,
            lam=0.95, lora_rank=8, steps=7, checkpoint_every=3,
        ),
    )  # fmt: skip
    actor, rollout = config.actor_rollout_ref.actor, config.actor_rollout_ref.rollout
    assert (actor.optim.lr, config.critic.optim.lr) == (2e-4, 3e-3)
    for optimizer in (actor.optim, config.critic.optim):
        assert list(optimizer.betas) == [0.8, 0.95]
        assert (optimizer.weight_decay, optimizer.clip_grad) == (0.1, 0.5)
        assert (optimizer.lr_scheduler_type, optimizer.lr_warmup_steps_ratio) == ("constant", 0.0)
    assert (actor.clip_ratio_low, actor.clip_ratio_high) == (0.1, 0.3)
    assert (actor.use_kl_loss, actor.kl_loss_coef, actor.kl_loss_type) == (True, 0.02, "low_var_kl")
    assert (actor.loss_agg_mode, actor.ppo_epochs, actor.ppo_mini_batch_size) == (
        "token-mean",
        1,
        4,
    )
    assert (config.algorithm.gamma, config.algorithm.lam) == (0.99, 0.95)
    assert config.actor_rollout_ref.model.lora_rank == 8
    assert (rollout.temperature, rollout.top_p, rollout.top_k, rollout.n) == (0.7, 0.9, 5, 4)
    assert (config.data.max_prompt_length, config.data.max_response_length) == (20, 9)
    assert config.data.dataloader_num_workers == 0
    assert (config.trainer.total_training_steps, config.trainer.save_freq) == (7, 3)
    assert config.trainer.v1.trainer_mode == "curricle"


def test_a_run_on_the_cpu_starts_a_ray_of_its_own(
    make_job: JobMaker, make_trainer: TrainerMaker
) -> None:
    config = compose(make_job(), make_trainer())
    assert config.trainer.device == "cpu"
    assert config.actor_rollout_ref.rollout.name == "transformers"
    ray = config.ray_kwargs.ray_init
    assert (ray.address, ray.num_gpus, ray._temp_dir) == ("local", 1, "/tmp/ray-x")
    assert ray.runtime_env.env_vars == {"A": "1"}


def test_a_cluster_of_gpus_gets_vllm_and_joins_the_running_ray(
    make_job: JobMaker, make_trainer: TrainerMaker
) -> None:
    config = compose(make_job(), make_trainer(), CUDA)
    assert (config.trainer.device, config.trainer.n_gpus_per_node, config.trainer.nnodes) == (
        "cuda", 8, 2,
    )  # fmt: skip
    assert config.actor_rollout_ref.rollout.name == "vllm"
    assert config.actor_rollout_ref.model.use_remove_padding
    ray = config.ray_kwargs.ray_init
    assert ray.address == "10.0.0.1:6379"
    assert "_temp_dir" not in ray
    assert ray.num_cpus is None


def test_evaluation_during_training_is_off_without_problems(
    make_job: JobMaker, make_trainer: TrainerMaker
) -> None:
    trainer = make_trainer()
    assert compose(make_job(evaluate_every=2), trainer).trainer.test_freq == 2
    assert compose(make_job(evaluate_every=0), trainer).trainer.test_freq == -1
    assert compose(make_job(evaluate_every=2, evaluation=()), trainer).trainer.test_freq == -1


def test_a_plain_format_replaces_the_chat_template(
    make_job: JobMaker, make_trainer: TrainerMaker
) -> None:
    job = make_job(prompter=Prompter(PromptFormat(style="plain"), {}))
    template = compose(job, make_trainer()).actor_rollout_ref.model.custom_chat_template
    assert template == PLAIN_TEMPLATE


def test_overrides_come_last(make_job: JobMaker, make_trainer: TrainerMaker) -> None:
    trainer = make_trainer(
        overrides={"actor_rollout_ref.actor.ppo_epochs": 2, "+trainer.of_my_own": "x"}
    )
    config = compose(make_job(), trainer)
    assert config.actor_rollout_ref.actor.ppo_epochs == 2
    assert config.trainer.of_my_own == "x"


def test_a_misspelled_override_names_the_nearest_key(
    make_job: JobMaker, make_trainer: TrainerMaker
) -> None:
    trainer = make_trainer(overrides={"actor_rollout_ref.actor.entropy_coef": 0.1})
    with pytest.raises(ValueError, match=r"trainer\.overrides: .*actor\.entropy_coeff'"):
        compose(make_job(), trainer)


def test_overrides_may_be_nested_and_hold_lists(make_trainer: TrainerMaker) -> None:
    nested = {"trainer": {"logger": ["console"], "nnodes": 2}, "data.seed": None}
    overrides = make_trainer(overrides=nested).overrides
    assert overrides == {"trainer.logger": ["console"], "trainer.nnodes": 2, "data.seed": None}
    check_overrides(overrides)


@pytest.mark.parametrize("key", ["algorithm.filter_groups.enable", "+trainer.v1.trainer_mode"])
def test_an_override_may_not_go_behind_the_curriculums_back(key: str) -> None:
    with pytest.raises(ValueError, match=r"must leave .* alone: .*curric"):
        check_overrides({key: True})


def test_every_key_that_is_not_marked_new_exists_in_verl() -> None:
    config = verl_defaults()
    with pytest.raises(ValueError, match=r"got 'trainer\.nnode'"):
        lay_over(config, {"trainer.nnode": 1})


def test_plugins_of_the_user_are_loaded_too(
    make_job: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERL_USE_EXTERNAL_MODULES", "mine")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    tracking = TrackingSettings(wandb="p", tensorboard=True)
    found = environment(make_job(tracking=tracking), "cpu", "transformers")
    assert found["VERL_USE_EXTERNAL_MODULES"] == "runners.verl.plugin,mine"
    assert found["PYTHONPATH"].endswith(f"{os.pathsep}/somewhere")
    assert found["VERL_PLATFORM"] == "cpu"
    assert (found["WANDB_RUN_ID"], found["WANDB_RESUME"]) == ("run", "allow")
    assert found["TENSORBOARD_DIR"].endswith("run/training/tensorboard")


def test_a_cluster_that_asks_for_a_token_is_sent_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cluster_words() == {}
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("x")
    assert cluster_words() == {"RAY_AUTH_MODE": "token"}
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert cluster_words() == {}
