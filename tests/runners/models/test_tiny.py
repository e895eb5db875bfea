"""The embedded model: its tokenizer, its recipe, its cache, and what it can do."""

import random
from multiprocessing import get_context
from pathlib import Path

import pytest

from difficulty.engines.base import Request, Sampling, sampling_seed
from difficulty.engines.model_files import weights_hash
from difficulty.engines.transformers import Transformers
from difficulty.prompts import PromptFormat
from domains.judge import judge
from domains.sources.tiny_families import FAMILIES, LEVELS, TinyFamilies, draw
from domains.splits import place, split
from runners.models.tiny import HELD_OUT, Recipe, build_tiny_model, make_tokenizer, shown_lines

SHORT = Recipe(steps=3, batch_size=8, threads=1)


def test_every_character_of_the_families_is_one_token() -> None:
    tokenizer = make_tokenizer()
    generator = random.Random(0)
    for family in FAMILIES:
        for level in LEVELS:
            drawn = draw(family, level, generator)
            text = drawn.problem.prompt + drawn.scratchpad
            tokens = tokenizer.encode(text, add_special_tokens=False)
            assert len(tokens) == len(text)
            assert tokenizer.unk_token_id not in tokens
            assert tokenizer.decode(tokens) == text


def test_the_chat_template_marks_every_turn() -> None:
    text = make_tokenizer().apply_chat_template(
        [
            {"role": "system", "content": "="},
            {"role": "user", "content": "1+1="},
            {"role": "assistant", "content": ":2"},
            {"role": "user", "content": "1+2="},
        ],
        tokenize=False,
        add_generation_prompt=True,
    )
    assert text == "<bos><system>=<user>1+1=<assistant>:2<eos><user>1+2=<assistant>"


def test_the_warm_start_shows_no_problem_that_may_be_held_out() -> None:
    lines = shown_lines(Recipe(), random.Random(0))
    shown = {prompt for prompt, _ in (next(lines) for _ in range(5000))}
    problems = TinyFamilies().load()
    _, evaluation = split(problems, HELD_OUT)
    assert not shown & {problem.prompt for problem in evaluation}
    assert shown & {p.prompt for p in problems if place(p.uid) >= HELD_OUT}


@pytest.mark.slow
def test_a_recipe_and_a_seed_make_one_model(tmp_path: Path) -> None:
    one = build_tiny_model(tmp_path / "one", 0, SHORT)
    again = build_tiny_model(tmp_path / "two", 0, SHORT)
    other = build_tiny_model(tmp_path / "one", 1, SHORT)
    assert weights_hash(one) == weights_hash(again)
    assert weights_hash(one) != weights_hash(other)
    assert one != build_tiny_model(tmp_path / "one", 0, Recipe(steps=4, batch_size=8, threads=1))


@pytest.mark.slow
def test_two_processes_that_ask_at_once_get_the_same_folder(tmp_path: Path) -> None:
    with get_context("spawn").Pool(2) as pool:
        one, two = pool.starmap(build_tiny_model, [(tmp_path, 0, SHORT)] * 2)
    assert one == two
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [one]


@pytest.mark.slow
def test_the_folder_is_whole(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = build_tiny_model(tmp_path, 0, SHORT)
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert len(tokenizer) == model.config.vocab_size  # else verl masks tokens that vLLM may draw
    assert model.config.hidden_size // model.config.num_attention_heads >= 32  # vLLM's least
    assert model.num_parameters() < 1_000_000
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert model.generation_config.pad_token_id == tokenizer.pad_token_id
    assert tokenizer.chat_template == make_tokenizer().chat_template
    assert (folder / "model.safetensors").is_file()


@pytest.mark.slow
def test_the_model_is_neither_helpless_nor_finished(tiny_model: Path) -> None:
    problems = split(TinyFamilies(levels=(2, 3, 4, 5), size=100).load(), HELD_OUT)[1]
    style = PromptFormat()
    requests = [
        Request(p.uid, style.messages(p), tuple(sampling_seed(0, p.uid, 0, i) for i in range(4)))
        for p in problems
    ]
    with Transformers(device="cpu").open(tiny_model, None) as engine:
        groups = engine.generate(requests, Sampling(max_tokens=32))
    correct: dict[str, list[bool]] = {family: [] for family in FAMILIES}
    for problem, group in zip(problems, groups, strict=True):
        correct[problem.domain] += [
            judge(problem, c.text, c.finish_reason).status == "correct" for c in group
        ]
    rates = {family: sum(hits) / len(hits) for family, hits in correct.items()}
    assert all(0.25 < rate < 0.9 for rate in rates.values()), rates
