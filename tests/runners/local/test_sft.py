"""SFT in this process: it learns, asks as the model was asked, and goes on after a stop."""

import random
from pathlib import Path

import pytest

from difficulty.engines.base import Request, Sampling
from difficulty.engines.model_files import weights_hash
from difficulty.engines.transformers import TransformersEngine, load_model
from difficulty.prompts import PromptFormat
from domains.judge import judge
from domains.sources.tiny_families import Draw, draw
from runners.files import read_lines
from runners.local import LocalTrainer
from runners.local.sft import fine_tune, mean_loss
from runners.sft import RejectionSFT
from runners.sft.examples import Example, Tokens, encode
from runners.sft.job import SFTJob

pytestmark = pytest.mark.slow

STYLE = PromptFormat()
LEARN = {"learning_rate": 3e-4, "epochs": 3, "batch_size": 16, "checkpoint_every": 4}


def worked_lines(count: int, seed: int) -> list[Draw]:
    """Sums of level 3 with a scratchpad, which the embedded model seldom uses."""
    generator = random.Random(seed)
    drawn = {d.problem.uid: d for d in (draw("math", 3, generator) for _ in range(2 * count))}
    return list(drawn.values())[:count]


def tokens(lines: list[Draw], model: Path) -> list[Tokens]:
    examples = [Example(STYLE.messages(line.problem), line.scratchpad) for line in lines]
    return encode(examples, model, None)[0]


def pass_rate(model: Path, lines: list[Draw]) -> float:
    engine = TransformersEngine(*load_model(model, "auto", "auto", None))
    asked = [Request(d.problem.uid, STYLE.messages(d.problem), (0, 1, 2, 3)) for d in lines]
    answered = engine.generate(asked, Sampling(max_tokens=24))
    verdicts = [
        judge(line.problem, one.text, one.finish_reason).status
        for line, group in zip(lines, answered, strict=True)
        for one in group
    ]
    return verdicts.count("correct") / len(verdicts)


def make_job(folder: Path, model: Path, examples: list[Tokens], **changes: object) -> SFTJob:
    folder.mkdir(parents=True, exist_ok=True)
    settings = RejectionSFT.model_validate({**LEARN, **changes})
    return SFTJob(model, folder, examples, settings, LocalTrainer(threads=1), 0)


def test_it_lowers_the_held_out_loss_and_raises_the_pass_rate(
    tmp_path: Path, tiny_model: Path
) -> None:
    lines = worked_lines(192, seed=0)
    learnt, held_out = lines[:128], lines[128:]
    job = make_job(tmp_path, tiny_model, tokens(learnt, tiny_model))
    trained = fine_tune(job)
    losses = [
        mean_loss(load_model(model, "auto", "auto", None)[0], tokens(held_out, tiny_model))
        for model in (tiny_model, trained)
    ]
    assert losses[1] < 0.7 * losses[0]
    assert pass_rate(trained, held_out) > pass_rate(tiny_model, held_out) + 0.15
    rows = read_lines(tmp_path / "metrics.jsonl")
    assert [row["step"] for row in rows] == list(range(1, 25))
    assert rows[0]["tokens"] == sum(len(job.examples[i]) for i in next(iter(job.batches())))


def test_a_stopped_sft_ends_with_the_same_weights(tmp_path: Path, tiny_model: Path) -> None:
    examples = tokens(worked_lines(32, seed=1), tiny_model)
    whole = fine_tune(make_job(tmp_path / "whole", tiny_model, examples))
    fine_tune(make_job(tmp_path / "stopped", tiny_model, examples, epochs=2))
    (tmp_path / "stopped" / "model").rename(tmp_path / "after two epochs")
    went_on = fine_tune(make_job(tmp_path / "stopped", tiny_model, examples))
    assert weights_hash(went_on) == weights_hash(whole)
    steps = [row["step"] for row in read_lines(tmp_path / "stopped" / "metrics.jsonl")]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_an_example_has_the_tokens_that_the_model_made(tiny_model: Path) -> None:
    lines = worked_lines(8, seed=2)
    engine = TransformersEngine(*load_model(tiny_model, "auto", "auto", None))
    asked = [Request(d.problem.uid, STYLE.messages(d.problem), (0,)) for d in lines]
    made = [group[0] for group in engine.roll_out(asked, Sampling(max_tokens=24))]
    examples = [
        Example(request.messages, one.text) for request, one in zip(asked, made, strict=True)
    ]
    for found, one in zip(encode(examples, tiny_model, None)[0], made, strict=True):
        assert found.prompt == one.prompt_tokens
        assert one.finish_reason != "stop" or found.completion == one.tokens


def test_examples_beyond_the_models_positions_are_left_out(tiny_model: Path) -> None:
    long = Example(STYLE.ask("1+1="), "1" * 300)
    short = Example(STYLE.ask("1+1="), "2")
    found, too_long = encode([long, short], tiny_model, None)
    assert (len(found), too_long) == (1, 1)
