"""Sketches of gradients, by hand and in the local trainer."""

from pathlib import Path

import pytest
import torch

from curricula.base import Item, Outcome
from curricula.transfer_aware import ALIGNMENT, TransferAware
from difficulty.engines.base import Engine, Sampling
from difficulty.engines.model_files import weights_hash
from difficulty.prompts import Prompter, PromptFormat
from domains.sources.tiny_families import TinyFamilies
from runners.files import read_lines
from runners.local import LocalTrainer
from runners.local.alignment import SIZE, Alignment, Sketches, by_domain, sketch
from runners.trainer import TrainingJob


def direction(*numbers: float) -> torch.Tensor:
    return torch.cat([torch.tensor(numbers), torch.zeros(SIZE - len(numbers))])


def test_a_sketch_keeps_the_cosine_of_two_gradients() -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(300, 200)
    frozen = torch.nn.Parameter(torch.ones(5))
    model.register_parameter("frozen", frozen)  # has no gradient, and counts as 0
    sketches = Sketches(model)
    found = {}
    common = torch.randn(200, 300)
    for name, own in (("a", torch.randn(200, 300)), ("b", torch.randn(200, 300))):
        found[name] = common + own
        (model.weight * found[name]).sum().backward()
        sketches.close(name)
    exact = torch.cosine_similarity(found["a"].flatten(), found["b"].flatten(), 0)
    kept = torch.cosine_similarity(sketches.found["a"], sketches.found["b"], 0)
    assert float(kept) == pytest.approx(float(exact), abs=3 / SIZE**0.5)
    assert float(exact) == pytest.approx(0.5, abs=0.02)  # half of each is common
    torch.testing.assert_close(sketches.found["a"] + sketches.found["b"], sketch(model))


def test_alignment_is_the_mean_cosine_with_the_other_domains() -> None:
    alignment = Alignment()
    alignment.add({"a": direction(3.0, 0.0)})
    assert alignment.cosines() == {}
    alignment.add({"a": direction(2.0, 0.0), "b": direction(0.0, 5.0), "c": direction(0.6, 0.8)})
    # cos(a, b) = 0, cos(a, c) = .6, cos(b, c) = .8
    assert alignment.cosines() == pytest.approx({"a": 0.3, "b": 0.4, "c": 0.7})
    alignment.add({"a": direction(0.0, 0.0)})  # no gradient: it stays where it was
    assert alignment.cosines()["a"] == pytest.approx(0.3)
    told = alignment.told([Outcome("1", (1.0,)), Outcome("2", (1.0,))], ["c", "unseen"])
    assert told[0].extras == {ALIGNMENT: pytest.approx(0.7)}
    assert told[1].extras == {}


def test_directions_fade() -> None:
    alignment = Alignment()
    alignment.add({"a": direction(1.0, 0.0), "b": direction(1.0, 0.0)})
    alignment.add({"a": direction(0.0, 1.0)})
    # .8 of the first and .2 of the second: the cosine with the first is .8 / sqrt(.64 + .04)
    assert alignment.cosines()["a"] == pytest.approx(0.8 / 0.68**0.5)


def test_groups_by_domain() -> None:
    assert by_domain([0, 2, 3], ["a", "a", "b", "a"]) == {"a": [0, 3], "b": [2]}


@pytest.mark.slow
def test_the_local_trainer_tells_alignments_and_trains_the_same(
    tmp_path: Path, tiny_model: Path
) -> None:
    problems = TinyFamilies(families=("math", "stem"), levels=(2, 3), size=20).load()

    def cut(engine: Engine, step: int) -> tuple[()]:
        raise InterruptedError

    def train(name: str, every: int, cut_at: int = 0) -> Path:
        job = TrainingJob(
            model=tiny_model,
            folder=tmp_path / name,
            problems={p.uid: p for p in problems},
            pool=tuple(Item(p.uid, p.domain, p.source) for p in problems),
            scheduler=TransferAware(balance=1.0, explore=0.0),  # which alignments do not move
            prompter=Prompter(PromptFormat(), {}),
            sampling=Sampling(max_tokens=24),
            seed=0,
            evaluation=(),
            evaluation_samples=4,
            evaluate_every=cut_at,
            evaluate=cut,
        )
        trainer = LocalTrainer(steps=4, alignment_every=every, checkpoint_every=2)
        return trainer.train(job)

    def metrics(name: str, figure: str) -> list[float | None]:
        rows = read_lines(tmp_path / name / "metrics.jsonl")
        return [row.get(figure) for row in rows]

    train("without", every=0)
    whole = train("with", every=2)
    assert metrics("without", "alignment/math") == [None] * 4
    # Not told, told, and so on; with two domains both have the same mean cosine.
    told = metrics("with", "alignment/math")
    assert [value is None for value in told] == [True, False, True, False]
    assert told == metrics("with", "alignment/stem")
    assert metrics("with", "curriculum/alignment_told") == [0.0, 1.0, 0.0, 1.0]
    assert metrics("with", "grad_norm") == pytest.approx(metrics("without", "grad_norm"), rel=0.02)
    with pytest.raises(InterruptedError):
        train("resumed", every=2, cut_at=3)
    assert weights_hash(train("resumed", every=2)) == weights_hash(whole)
    assert metrics("resumed", "alignment/math") == told
