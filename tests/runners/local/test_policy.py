"""The shared prompt, skipped groups and parts change the work, not the numbers."""

from pathlib import Path

import pytest
import torch

from difficulty.engines.base import Request, Sampling
from difficulty.engines.transformers import Rollout, TransformersEngine
from runners.local import LocalTrainer
from runners.local.learner import Learner
from runners.local.policy import (
    Rows,
    can_pack,
    load_critic,
    load_policy,
    log_probabilities,
    state_values,
)

pytestmark = pytest.mark.slow

PROMPTS = ("3+2+4=", "1+1=", "2+2+2+2=")


def roll_out(model: torch.nn.Module, tokenizer: object) -> list[list[Rollout]]:
    engine = TransformersEngine(model, tokenizer)  # type: ignore[arg-type]
    requests = [Request(p, ({"role": "user", "content": p},), (1, 2, 3, 4)) for p in PROMPTS]
    return engine.roll_out(requests, Sampling(max_tokens=12))


def plain_log_probability(model: torch.nn.Module, rollout: Rollout) -> float:
    """One sequence, one forward pass, no cache, no padding."""
    ids = torch.tensor([[*rollout.prompt_tokens, *rollout.tokens]])
    with torch.no_grad():
        logits = model(input_ids=ids).logits[0].float()
    log_probs = torch.log_softmax(logits, -1)
    first = len(rollout.prompt_tokens)
    return sum(float(log_probs[first + i - 1, t]) for i, t in enumerate(rollout.tokens))


def test_the_shared_prompt_gives_the_same_log_probabilities(tiny_model: Path) -> None:
    model, tokenizer = load_policy(tiny_model, "cpu", "float32", None, 0, 0)
    groups = roll_out(model, tokenizer)
    rows = Rows.of(groups, torch.device("cpu"))
    found = (log_probabilities(model, rows, 1.0) * rows.mask).sum(1).tolist()
    flat = [rollout for group in groups for rollout in group]
    assert found == pytest.approx([plain_log_probability(model, r) for r in flat], abs=1e-4)
    assert found == pytest.approx([r.log_probability for r in flat], abs=1e-4)


def test_the_critic_values_the_state_before_each_token(tiny_model: Path) -> None:
    model, tokenizer = load_policy(tiny_model, "cpu", "float32", None, 0, 0)
    critic = load_critic(tiny_model, model, seed=0).eval()
    [group, *_] = roll_out(model, tokenizer)
    rows = Rows.of([group], torch.device("cpu"))
    with torch.no_grad():
        found = state_values(critic, rows)
        ids = torch.tensor([[*group[0].prompt_tokens, *group[0].tokens]])
        plain = critic(input_ids=ids).logits[0, :, 0]
    first, count = len(group[0].prompt_tokens), len(group[0].tokens)
    assert torch.allclose(found[0, :count], plain[first - 1 : first - 1 + count], atol=1e-5)


def test_groups_without_a_signal_are_skipped_without_changing_the_update(tiny_model: Path) -> None:
    settings = LocalTrainer(learning_rate=1e-3)
    rewards = torch.tensor([1.0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 1])  # the middle group: no signal
    weights, gradients, losses = [], [], []
    for skip in (True, False):
        model, tokenizer = load_policy(tiny_model, "cpu", "float32", None, 0, 0)
        learner = Learner(settings, model, tiny_model, seed=0)
        if not skip:
            learner._has_signal = lambda *_: True  # type: ignore[method-assign]
        update = learner.update(roll_out(model, tokenizer), rewards, 1.0)
        losses.append(update.loss)
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert torch.allclose(gradients[0], gradients[1], atol=1e-7)
    # Adam divides by the gradient's size, so where it is all but zero rounding shows.
    assert torch.allclose(weights[0], weights[1], atol=1e-4)


def test_an_update_that_explodes_is_refused_with_its_learning_rate(tiny_model: Path) -> None:
    model, tokenizer = load_policy(tiny_model, "cpu", "float32", None, 0, 0)
    learner = Learner(LocalTrainer(), model, tiny_model, seed=0)
    groups = roll_out(model, tokenizer)
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match=r"must stay finite.*learning_rate=0.0001"):
        learner.update(groups, torch.arange(12.0) % 2, 1.0)


def test_a_model_that_cannot_be_masked_as_a_tree_trains_all_the_same(tiny_model: Path) -> None:
    from transformers import BloomConfig, BloomForCausalLM, MambaConfig, MambaForCausalLM

    tree, tokenizer = load_policy(tiny_model, "cpu", "float32", None, 0, 0)
    assert can_pack(tree)
    size = {"vocab_size": len(tokenizer), "hidden_size": 32}
    alibi = BloomForCausalLM(BloomConfig(**size, n_layer=1, n_head=2)).eval()
    recurrent = MambaForCausalLM(MambaConfig(**size, num_hidden_layers=1)).eval()
    groups = roll_out(tree, tokenizer)
    rows = Rows.of(groups, torch.device("cpu"))
    for model in (alibi, recurrent):
        assert not can_pack(model)
        found = (log_probabilities(model, rows, 1.0) * rows.mask).sum(1).tolist()
        flat = [rollout for group in groups for rollout in group]
        assert found == pytest.approx([plain_log_probability(model, r) for r in flat], abs=1e-4)


def test_a_window_of_attention_is_no_tree() -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM, MistralConfig, MistralForCausalLM

    size = {
        "vocab_size": 40, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
    }  # fmt: skip
    assert not can_pack(Gemma2ForCausalLM(Gemma2Config(**size, sliding_window=4)))
    assert not can_pack(MistralForCausalLM(MistralConfig(**size, sliding_window=4)))
    assert can_pack(MistralForCausalLM(MistralConfig(**size, sliding_window=None)))
