"""One update of every algorithm: verl's own workers and the local trainer on the same batch."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from difficulty.engines.base import Sampling
from difficulty.engines.transformers import Rollout
from runners.algorithms import Name
from runners.local import LocalTrainer
from runners.trainer import TrainingJob
from runners.verl.trainer import VerlTrainer

pytestmark = pytest.mark.slow

ALGORITHMS = get_args(Name)
PROMPTS, SAMPLES, TOKENS = 4, 8, 4
RATE = 2e-5


@pytest.fixture(scope="module")
def batch() -> dict[str, Any]:
    """Four prompts of unequal length with eight completions of one to four tokens each.

    The last prompt's are all wrong, so that a group without variance is among them.
    """
    import random

    rng = random.Random(0)
    rows: dict[str, Any] = {"prompts": [], "responses": [], "rewards": [], "groups": []}
    for group in range(PROMPTS):
        prompt = [2, 5, *(rng.randrange(7, 27) for _ in range(3 + group)), 6]
        for _ in range(SAMPLES):
            rows["prompts"].append(prompt)
            completion = [rng.randrange(7, 27) for _ in range(rng.randint(1, TOKENS))]
            rows["responses"].append([*completion[:-1], 0] if rng.random() < 0.5 else completion)
            rows["rewards"].append(float(group < PROMPTS - 1 and rng.random() < 0.4))
            rows["groups"].append(group)
    return rows


@pytest.fixture(scope="module")
def updates(
    adding_model: Path,
    build: tuple[Callable[..., TrainingJob], Callable[..., VerlTrainer]],
    batch: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """verl's side of every algorithm, in one process."""
    import cloudpickle
    import torch

    folder = tmp_path_factory.mktemp("updates")
    build_job, build_trainer = build
    tasks = [
        (trainer_of(build_trainer, name), job_of(build_job, adding_model, folder / name), batch)
        for name in ALGORITHMS
    ]
    (folder / "tasks").write_bytes(cloudpickle.dumps(tasks))
    script = Path(__file__).with_name("one_update.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder / "tasks"), str(folder / "results")],
        cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return dict(zip(ALGORITHMS, torch.load(folder / "results"), strict=True))


def trainer_of(build_trainer: Callable[..., VerlTrainer], name: str) -> VerlTrainer:
    return build_trainer(algorithm=name, learning_rate=RATE, critic_learning_rate=RATE)


def job_of(build_job: Callable[..., TrainingJob], model: Path, folder: Path) -> TrainingJob:
    return build_job(model, folder, sampling=Sampling(temperature=2.0, max_tokens=TOKENS))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_one_update_is_the_same_in_verls_workers_and_in_the_local_trainer(
    name: str,
    updates: dict[str, Any],
    batch: dict[str, Any],
    build: tuple[Callable[..., TrainingJob], Callable[..., VerlTrainer]],
    adding_model: Path,
) -> None:
    import torch

    from runners.local.learner import Learner
    from runners.local.policy import load_policy

    theirs = updates[name]
    trainer = trainer_of(build[1], name).model_copy(update={"samples_per_prompt": SAMPLES})
    own = set(LocalTrainer.model_fields) - {"kind", "device"}
    settings = LocalTrainer.model_validate(trainer.model_dump(include=own))
    model, _ = load_policy(adding_model, "cpu", "float32", None, 0, 0)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    learner = Learner(settings, model, adding_model, 0)
    if learner.critic is not None:
        learner.critic.load_state_dict(theirs["critic_before"])
    learner.config.global_batch_info.update(
        global_batch_size=len(batch["rewards"]), loss_scale_factor=TOKENS
    )
    rollouts = [
        Rollout(tuple(prompt), tuple(response), "", "stop", 0.0)
        for prompt, response in zip(batch["prompts"], batch["responses"], strict=True)
    ]
    groups = [rollouts[i : i + SAMPLES] for i in range(0, len(rollouts), SAMPLES)]
    update = learner.update(groups, torch.tensor(batch["rewards"]), 2.0)

    mask = torch.tensor([len(r.tokens) for r in rollouts])[:, None] > torch.arange(TOKENS)
    means = (theirs["advantages"] * mask).sum(1) / mask.sum(1)
    assert means.abs().max() > 0.1
    torch.testing.assert_close(update.advantages, means, atol=1e-6, rtol=0)
    # on the policy's own rollouts the loss is a mean of advantages, 0 where they are whitened
    assert update.loss == pytest.approx(theirs["loss"], abs=1e-5)
    assert theirs["grad_norm"] > 1e-3
    assert update.grad_norm == pytest.approx(theirs["grad_norm"], rel=1e-4)
    moved = max(float((before[key] - theirs["weights"][key]).abs().max()) for key in before)
    assert moved == pytest.approx(RATE, rel=0.01)
    torch.testing.assert_close(model.state_dict(), theirs["weights"], atol=1e-5, rtol=0)
    if learner.critic is not None:
        assert update.value_loss == pytest.approx(theirs["value_loss"], abs=1e-5)
        torch.testing.assert_close(learner.critic.state_dict(), theirs["critic"], atol=1e-5, rtol=0)
