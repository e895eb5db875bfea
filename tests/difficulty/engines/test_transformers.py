"""The transformers engine, on a small random model made here."""

import math
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from difficulty.engines.base import Request, Sampling
from difficulty.engines.decoding import pad_left
from difficulty.engines.transformers import Transformers, TransformersEngine
from difficulty.prompts import PLAIN_TEMPLATE
from runners.models.tiny import Recipe, make_model, make_tokenizer

PROMPTS = ("3+2=", "1=", "4+4+4+4+4=", "TFRL=")


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return make_tokenizer()


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> PreTrainedModel:
    recipe = Recipe(hidden_size=64, layers=2, heads=2)
    return make_model(recipe, tokenizer, seed=0).eval()


@pytest.fixture(scope="module")
def engine(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> TransformersEngine:
    return TransformersEngine(model, tokenizer)


def ask(content: str, *seeds: int) -> Request:
    return Request(content, ({"role": "user", "content": content},), seeds)


def texts(engine: TransformersEngine, requests: list[Request], **sampling: Any) -> list[list[str]]:
    completions = engine.generate(requests, Sampling(max_tokens=12, **sampling))
    return [[c.text for c in group] for group in completions]


def long_seed(engine: TransformersEngine) -> int:
    """A seed whose completion of `3+2=` does not end by itself within 12 tokens."""
    [group] = engine.generate([ask("3+2=", *range(40))], Sampling(max_tokens=12))
    return next(seed for seed, c in enumerate(group) if len(c.text) == 12)


def test_a_completion_depends_on_its_prompt_and_seed_alone(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, engine: TransformersEngine
) -> None:
    requests = [ask(prompt, 1, 2, 3) for prompt in PROMPTS]
    together = texts(engine, requests)
    assert len({text for group in together for text in group}) > 6
    alone = [[texts(engine, [ask(p, seed)])[0][0] for seed in (1, 2, 3)] for p in PROMPTS]
    assert alone == together
    narrow = TransformersEngine(model, tokenizer, batch_size=5)  # groups are split between batches
    assert texts(narrow, requests) == together
    assert texts(engine, requests[::-1]) == together[::-1]


def test_what_prompts_begin_with_is_run_once_and_changes_nothing(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [ask("4+4+4+4+4+4+4+4+4+" + prompt, 1, 2, 3) for prompt in (*PROMPTS, "")]
    shared = engine.roll_out(requests, Sampling(max_tokens=12))
    monkeypatch.setattr("difficulty.engines.decoding._WORTH_SHARING", math.inf)
    plain = engine.roll_out(requests, Sampling(max_tokens=12))
    for with_sharing, without in zip(
        chain.from_iterable(shared), chain.from_iterable(plain), strict=True
    ):
        assert with_sharing.tokens == without.tokens
        assert with_sharing.log_probability == pytest.approx(without.log_probability, abs=1e-4)


def test_greedy_equals_generate_of_transformers(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, engine: TransformersEngine
) -> None:
    rollouts = engine.roll_out([ask(p, 0) for p in PROMPTS], Sampling(temperature=0, max_tokens=12))
    for [rollout] in rollouts:
        prompt = torch.tensor([rollout.prompt_tokens])
        wanted = model.generate(prompt, max_new_tokens=12, do_sample=False)[0, prompt.shape[1] :]
        assert list(rollout.tokens) == wanted.tolist()


def test_first_tokens_follow_the_models_distribution(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, engine: TransformersEngine
) -> None:
    n = 4000
    [group] = engine.roll_out([ask("3+2=", *range(n))], Sampling(max_tokens=1))
    found = Counter(rollout.tokens[0] for rollout in group)
    with torch.no_grad():
        logits = model(torch.tensor([group[0].prompt_tokens])).logits[0, -1]
    for token, p in enumerate(logits.softmax(-1).tolist()):
        # Five standard deviations of a binomial share.
        assert abs(found[token] / n - p) < 5 * math.sqrt(p * (1 - p) / n) + 1e-6
    assert group[0].log_probability == pytest.approx(
        float(logits.log_softmax(-1)[group[0].tokens[0]]), abs=1e-4
    )


def test_top_k_and_top_p_leave_only_likely_tokens(engine: TransformersEngine) -> None:
    greedy = texts(engine, [ask("3+2=", 0)], temperature=0)
    seeds = tuple(range(20))
    assert texts(engine, [ask("3+2=", *seeds)], top_k=1) == [greedy[0] * 20]
    assert texts(engine, [ask("3+2=", *seeds)], top_p=1e-6) == [greedy[0] * 20]


def test_a_completion_ends_at_the_end_token_or_at_the_limit(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, engine: TransformersEngine
) -> None:
    [group] = engine.roll_out([ask("3+2=", *range(300))], Sampling(max_tokens=30))
    end = tokenizer.eos_token_id
    stopped = [r for r in group if r.finish_reason == "stop"]
    cut = [r for r in group if r.finish_reason == "length"]
    assert stopped
    assert cut
    assert all(r.tokens[-1] == end and end not in r.tokens[:-1] for r in stopped)
    assert all(len(r.tokens) == 30 and end not in r.tokens for r in cut)
    assert all("<eos>" not in r.text for r in stopped)


def test_every_end_token_of_a_list_ends(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    engine = TransformersEngine(model, tokenizer)
    request = ask("3+2=", long_seed(engine))
    before = model.generation_config.eos_token_id
    [[plain]] = engine.roll_out([request], Sampling(max_tokens=12))
    try:
        model.generation_config.eos_token_id = [0, plain.tokens[3]]
        [[ended]] = engine.roll_out([request], Sampling(max_tokens=12))
    finally:
        model.generation_config.eos_token_id = before
    first = plain.tokens.index(plain.tokens[3])
    assert ended.tokens == plain.tokens[: first + 1]
    assert ended.finish_reason == "stop"


def test_a_stop_string_ends_and_is_not_part_of_the_text(engine: TransformersEngine) -> None:
    request = ask("3+2=", long_seed(engine))
    [[whole]] = engine.generate([request], Sampling(max_tokens=12))
    end = whole.text[4:6]
    [[stopped]] = engine.generate([request], Sampling(max_tokens=12, stop=(end, "@@@")))
    assert stopped.text == whole.text[: whole.text.index(end)]
    assert stopped.finish_reason == "stop"
    assert stopped.token_count == whole.text.index(end) + 2  # characters are tokens here


def test_a_prompt_that_does_not_fit_is_refused(engine: TransformersEngine) -> None:
    with pytest.raises(ValueError, match=r"256 positions.* 3\+2=.* max_tokens=256"):
        engine.generate([ask("3+2=", 0)], Sampling(max_tokens=256))


def test_a_template_of_ones_own_replaces_the_tokenizers(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    plain = TransformersEngine(model, tokenizer, chat_template=PLAIN_TEMPLATE)
    [[rollout]] = plain.roll_out([ask("3+2=", 0)], Sampling(max_tokens=1))
    assert tokenizer.decode(rollout.prompt_tokens) == "3+2="
    assert plain.identity() != TransformersEngine(model, tokenizer).identity()


def test_a_folder_opens_to_the_same_engine_and_says_who_it_is(
    tmp_path: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    engine: TransformersEngine,
) -> None:
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    settings = Transformers(device="cpu")
    with settings.open(tmp_path, None) as opened:
        assert opened.identity() == settings.identity(tmp_path, None)
        requests = [ask(prompt, 1, 2) for prompt in PROMPTS]
        sampling = Sampling(max_tokens=12)
        assert opened.generate(requests, sampling) == engine.generate(requests, sampling)


def test_weights_in_memory_have_an_identity_that_changes_with_them(
    model: PreTrainedModel, engine: TransformersEngine
) -> None:
    before = engine.identity()["weights"]
    weight = model.get_input_embeddings().weight
    with torch.no_grad():
        weight[3, 3] += 1
        changed = engine.identity()["weights"]
        weight[3, 3] -= 1
    assert changed != before


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_missing_device_is_a_clear_mistake(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ValueError, match="device must be one that this machine has"):
        Transformers(device="cuda").open(tmp_path, None)


def test_no_requests_give_no_completions(engine: TransformersEngine) -> None:
    assert engine.generate([], Sampling()) == []


def test_padding_stands_on_the_left_and_is_masked() -> None:
    tokens, mask = pad_left([(7, 8), (9,)], torch.device("cpu"))
    assert tokens.tolist() == [[7, 8], [0, 9]]
    assert mask.tolist() == [[1, 1], [0, 1]]
