"""Presets and the memory estimate: against published sizes, by hand, and as verl composes them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runners.config import validate
from runners.trainer import TrainingJob
from runners.verl.arguments import Files, configuration
from runners.verl.machine import Machine
from runners.verl.memory import estimate
from runners.verl.model_shapes import SHAPES, ModelShape, shape_of
from runners.verl.presets import MACHINES, ROWS, fill_in, size_of
from runners.verl.trainer import VerlTrainer

JobMaker = Callable[..., TrainingJob]

PUBLISHED = {
    "Qwen2.5-Math-1.5B": 1.54e9,
    "Qwen2.5-3B": 3.09e9,
    "Llama-3.2-3B-Instruct": 3.21e9,
    "DeepSeek-R1-Distill-Qwen-1.5B": 1.78e9,
    "DeepSeek-R1-Distill-Qwen-7B": 7.62e9,
    "DeepSeek-R1-Distill-Qwen-14B": 14.77e9,
    "QwQ-32B": 32.76e9,
}
"""Parameters, as the model cards have them."""
CASES = [(p, m) for p in MACHINES for m in SHAPES if (p, size_of(m)) in ROWS]


def preset(name: str, model: str, **changes: Any) -> VerlTrainer:
    return VerlTrainer.model_validate(
        fill_in({"kind": "verl", "preset": name, **changes}, f"somebody/{model}")
    )


@pytest.mark.parametrize("model", SHAPES)
def test_a_shape_has_the_published_number_of_parameters(model: str) -> None:
    assert SHAPES[model].parameters == pytest.approx(PUBLISHED[model], rel=0.01)


def test_a_folder_says_its_shape(tmp_path: Path) -> None:
    config = {
        "num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 4, "vocab_size": 10,
        "intermediate_size": 16, "tie_word_embeddings": True, "head_dim": None,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    shape = shape_of(str(tmp_path))
    assert shape == ModelShape(2, 8, 4, 4, 16, 10, True, 2)
    # embedding 80; a layer: q, k, v, o of 64, gate, up, down of 128
    assert shape.parameters == 80 + 2 * (4 * 64 + 3 * 128)
    assert shape.lora_parameters(3) == 3 * 2 * (4 * 16 + 3 * 24)
    assert size_of(str(tmp_path)) == "1.5B"


def test_the_estimate_by_hand() -> None:
    shape = ModelShape(2, 8, 4, 2, 16, 10, True, 2)
    weights = 80 + 2 * (2 * 64 + 2 * 32 + 3 * 128)
    assert shape.parameters == weights
    trainer = VerlTrainer(
        gpus_per_node=2, nodes=2, tensor_parallel=2, tokens_per_gpu=100, gpu_memory=0.5,
        kl_coefficient=0.1,
    )  # fmt: skip
    memory = estimate(trainer, shape, gpu_bytes=10_000)
    assert memory.weights == memory.gradients == memory.reference == weights
    assert memory.adam == 2 * weights
    assert memory.gathered == weights + 2 * 8 * 10
    assert memory.activations == 100 * (2 * 8 * 2 + 34 * 8 + 8 * 10)
    assert memory.rollout_weights == weights
    assert memory.kv_cache == 5000 - weights
    # keys and values of 2 layers and 1 of 2 heads of width 2 on each GPU, 2 bytes each
    assert memory.kv_tokens == int((5000 - weights) / (2 * 2 * 1 * 2 * 2))
    assert memory.training == 6 * weights + 160 + 38_400
    assert memory.rollout == 4 * weights + 5000
    assert replace(memory, offload=True).rollout == 5000
    assert not memory.fits(10_000)
    assert memory.fits(100_000)
    critic = estimate(trainer.model_copy(update={"algorithm": "ppo"}), shape, 10_000)
    assert critic.adam == 2 * memory.adam
    lora = estimate(trainer.model_copy(update={"lora_rank": 1}), shape, 10_000)
    adapters = 2 * (2 * 16 + 2 * 12 + 3 * 24)
    assert lora.adam == 8 * adapters / 4
    assert lora.weights == (2 * weights + 4 * adapters) / 4
    assert lora.reference == 0


@pytest.mark.parametrize(("name", "model"), CASES)
def test_a_preset_fits_its_machine_and_its_model(name: str, model: str) -> None:
    trainer, shape = preset(name, model), SHAPES[model]
    assert estimate(trainer, shape).fits()
    assert shape.heads % trainer.tensor_parallel == 0
    assert trainer.gpus_per_node % trainer.tensor_parallel == 0
    assert trainer.rollouts_per_step % (trainer.gpus_per_node * trainer.nodes) == 0


@pytest.mark.parametrize(
    ("model", "gpus"), [("DeepSeek-R1-Distill-Qwen-7B", 2), ("DeepSeek-R1-Distill-Qwen-14B", 4)]
)
def test_the_smallest_machines_that_verl_ran_on_have_room_and_half_of_them_have_not(
    model: str, gpus: int
) -> None:
    # verl's docs/perf/device_tuning: full GRPO with offload on GPUs of 80 GB
    for number, fits in ((gpus, True), (gpus // 2, False)):
        trainer = VerlTrainer(
            gpus_per_node=number, tensor_parallel=number, tokens_per_gpu=2048, gpu_memory=0.6,
            offload=True,
        )  # fmt: skip
        assert estimate(trainer, SHAPES[model]).fits() == fits


def composed(trainer: VerlTrainer, job: TrainingJob) -> Any:
    """verl's configuration for a machine that is not there."""
    gpus, nodes = trainer.gpus_per_node, trainer.nodes
    machine = Machine("cuda", "vllm", gpus, nodes, None, Path("/tmp/ray"), {}, True)
    files = Files(Path("j"), Path("t"), Path("v"), 20)
    return configuration(trainer, job, machine, files, {}, trainer.legs(4)[0])


@pytest.mark.parametrize(("name", "model"), CASES)
def test_a_preset_reaches_what_verl_composes(make_job: JobMaker, name: str, model: str) -> None:
    trainer = preset(name, model)
    config = composed(trainer, make_job())
    actor, rollout = config.actor_rollout_ref.actor, config.actor_rollout_ref.rollout
    assert config.trainer.n_gpus_per_node == trainer.gpus_per_node
    assert config.trainer.nnodes == trainer.nodes
    assert config.data.train_batch_size == actor.ppo_mini_batch_size == trainer.prompts_per_step
    assert actor.ppo_max_token_len_per_gpu == trainer.tokens_per_gpu
    assert rollout.log_prob_max_token_len_per_gpu == trainer.tokens_per_gpu
    assert rollout.tensor_model_parallel_size == trainer.tensor_parallel
    assert rollout.gpu_memory_utilization == trainer.gpu_memory
    assert actor.fsdp_config.param_offload is trainer.offload
    assert actor.fsdp_config.optimizer_offload is trainer.offload
    assert config.actor_rollout_ref.model.lora_rank == trainer.lora_rank
    assert config.actor_rollout_ref.actor.optim.lr == trainer.learning_rate


def test_what_the_config_says_goes_before_the_preset() -> None:
    raw = {
        "name": "x", "model": "Qwen/Qwen2.5-3B", "problems": [{"kind": "tiny"}],
        "trainer": {"kind": "verl", "preset": "8gpu", "learning_rate": 5e-7},
    }  # fmt: skip
    trainer = validate(raw, "x.yaml").trainer
    assert isinstance(trainer, VerlTrainer)
    assert (trainer.learning_rate, trainer.prompts_per_step) == (5e-7, 128)
    again = VerlTrainer.model_validate(trainer.model_dump(mode="json"))
    assert again == trainer


def test_adapters_have_a_learning_rate_of_their_own() -> None:
    full, adapters = (preset("8gpu", "Qwen2.5-3B", **c) for c in ({}, {"lora_rank": 16}))
    assert (full.learning_rate, adapters.learning_rate) == (1e-6, 1e-5)


@pytest.mark.parametrize(
    ("name", "model", "message"),
    [
        ("8gp", "a/Qwen2.5-3B", r"must be one of debug, .* \(did you mean '8gpu'\?\)"),
        ("debug", "Qwen/QwQ-32B", r"room for a model of 32B, .* 4gpu, 8gpu, multinode have"),
        ("8gpu", "a/Unknown-5B", r"a model whose size is known: one of Qwen2.5-Math-1.5B"),
    ],
)
def test_a_preset_that_cannot_be_is_refused(name: str, model: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fill_in({"kind": "verl", "preset": name}, model)


@pytest.mark.slow
def test_verl_itself_takes_a_presets_configuration(make_job: JobMaker) -> None:
    from verl.utils.config import validate_config

    for name, model in CASES:
        for changes in ({}, {"lora_rank": 16, "kl_coefficient": 0.01}):
            config = composed(preset(name, model, **changes), make_job())
            validate_config(config, use_reference_policy=bool(changes), use_critic=False)
