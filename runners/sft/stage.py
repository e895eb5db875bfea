"""The SFT of a run: examples, training, evaluation, and the pass rates it leaves behind.

Everything stands in the run's folder `sft/`, and what stands there is not done again:

| file             | what                                                              |
|------------------|-------------------------------------------------------------------|
| `examples.jsonl` | messages to learn from, one example a line                        |
| `data.json`      | how many, what was left out and why, problems never solved        |
| `metrics.jsonl`  | loss, gradient norm and tokens of every update                    |
| `model/`         | the fine-tuned model                                              |
| `scores/`        | its completions of the problems for reinforcement learning        |
| `pool.jsonl`     | these problems with its pass rates, as the curriculum sees them   |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from difficulty.score import open_store
from difficulty.store.completions import ScoredCompletion, read_part
from domains.problem import Problem
from domains.splits import place
from runners.config import RunConfig
from runners.console import console, print_table
from runners.files import read_json, read_lines, write_json, write_lines
from runners.problem_set import ProblemSet
from runners.profiling.scored import Scored
from runners.profiling.scoring import measure_rates, stored_of
from runners.run_dir import RunDir
from runners.sft import SFT, AnySFT
from runners.sft.examples import Collected, Example, Material, encode
from runners.sft.job import SFTJob
from runners.sft.place import place_of
from runners.summary import summarise, timed
from runners.verl.trainer import VerlTrainer


def check_sft(config: RunConfig) -> None:
    """Raises `ValueError`, before any long work, for what cannot run here."""
    assert config.sft is not None
    sft, trainer = config.sft, place_of(config.sft, config.trainer)
    if isinstance(trainer, VerlTrainer):
        from runners.verl.sft import check_sft as check_verl

        check_verl(trainer, sft.overrides)
    elif sft.overrides:
        raise ValueError(
            "sft.overrides are settings of verl's, so sft.trainer must be verl, but got "
            f"{trainer.kind}"
        )


def describe_sft(config: RunConfig, problems: ProblemSet) -> str:
    """What SFT is going to do, in a line; a file is read for it.

    Raises `ValueError` for a split that leaves nothing to one side, or a file that does not fit.
    """
    assert config.sft is not None
    sft, trainer = config.sft, place_of(config.sft, config.trainer)
    apart, rest = sft.split(problems.training)
    source = f"completions of {len(apart)} problems"
    if sft.kind == "file":
        found = sft.collect(_material(sft, problems, {}, [], config.seed))
        source = f"{len(found.examples)} examples of {sft.path}"
    return (
        f"SFT first, {trainer.kind} trainer: {source}, {sft.epochs} epochs; reinforcement learning "
        f"on {len(rest)} of {len(problems.training)} problems"
    )


def for_rl(config: RunConfig, problems: ProblemSet) -> ProblemSet:
    """The problems without those that are set apart for SFT."""
    if config.sft is None:
        return problems
    return replace(problems, training=config.sft.split(problems.training)[1])


def fine_tune(
    config: RunConfig, folder: RunDir, model: Path, problems: ProblemSet, scored: Scored
) -> Path:
    """Collect the examples, train on them; returns the fine-tuned model's folder.

    `problems` are all of the run's and `scored` what the base model makes of them. Raises
    `ValueError` where there is nothing to learn from.
    """
    assert config.sft is not None
    folder.sft.mkdir(parents=True, exist_ok=True)
    examples = _examples(config, config.sft, folder, model, problems, scored)
    if folder.sft_model.is_dir():
        return folder.sft_model
    tokens, too_long = encode(examples, model, problems.prompter.style.chat_template)
    if too_long:
        console.print(f"[yellow]SFT leaves out {too_long} examples longer than the model reads")
    if not tokens:
        raise ValueError("sft must have examples that fit the model's positions, but none does")
    trainer = place_of(config.sft, config.trainer)
    job = SFTJob(model, folder.sft, tokens, config.sft, trainer, config.seed, config.tracking)
    with timed(folder, "sft"):
        if isinstance(trainer, VerlTrainer):
            from runners.verl.sft import fine_tune as train
        else:
            from runners.local.sft import fine_tune as train
        trained = train(job)
    losses = [row["loss"] for row in read_lines(folder.sft / "metrics.jsonl")]
    console.print(
        f"SFT ({trainer.kind}): {len(losses)} updates of {job.batch_size} examples, loss "
        f"{losses[0]:.3f} at first, {losses[-1]:.3f} at last"
    )
    return trained


def rescore(
    config: RunConfig, folder: RunDir, model: Path, rl: ProblemSet, scored: Scored
) -> Scored:
    """What the fine-tuned model makes of the problems for reinforcement learning.

    The base model's rates, where `sft.rescore` is off or others measured them. Writes the pool.
    """
    assert config.sft is not None
    found = scored
    if config.sft.rescore and not config.difficulty.imported:
        found = measure_rates(
            config, folder, rl.training, rl.prompter, model, folder.sft / "scores", "rescore"
        )
    write_lines(folder.sft_pool, (found.pool_row(problem) for problem in rl.training))
    return found


def known_rates(config: RunConfig, folder: RunDir, rl: ProblemSet, scored: Scored) -> Scored:
    """The same without generating anything: the base model's rates until others are stored."""
    stored = folder.sft / "scores"
    sft = config.sft
    if sft is None or not sft.rescore or config.difficulty.imported or not stored.is_dir():
        return scored
    return stored_of(config, stored, rl.training, rl.prompter, folder.sft_model)


def collect(
    config: RunConfig, folder: RunDir, model: Path, problems: ProblemSet, scored: Scored
) -> Collected:
    """The examples of a config, shuffled by its seed."""
    sft, seed = config.sft, config.seed
    assert sft is not None
    rows = _completions(config, folder, model, problems) if sft.kind == "rejection" else []
    found = sft.collect(_material(sft, problems, scored.buckets, rows, seed))
    order = sorted(
        range(len(found.examples)), key=lambda i: (place(str(i), f"sft order:{seed}"), i)
    )
    return replace(found, examples=[found.examples[i] for i in order])


def _completions(
    config: RunConfig, folder: RunDir, model: Path, problems: ProblemSet
) -> Iterator[ScoredCompletion]:
    """What scoring the base model left in its store."""
    store = open_store(
        config.difficulty.store or folder.scores,
        problems.everything,
        config.difficulty.engine,
        model,
        problems.prompter,
        config.decoding,
        config.seed,
    )
    return (row for part in store.parts() for row in read_part(part))


def _material(
    sft: SFT,
    problems: ProblemSet,
    buckets: Mapping[str, str],
    completions: Iterable[ScoredCompletion],
    seed: int,
) -> Material:
    return Material(
        _by_uid(sft.split(problems.training)[0]),
        _by_uid(problems.training),
        _by_uid(problems.evaluation),
        problems.prompter,
        buckets,
        completions,
        seed,
    )


def _examples(
    config: RunConfig,
    sft: AnySFT,
    folder: RunDir,
    model: Path,
    problems: ProblemSet,
    scored: Scored,
) -> list[Example]:
    """The examples that stand in the folder, or collected now, written and said."""
    path, facts = folder.sft / "examples.jsonl", folder.sft / "data.json"
    if not facts.is_file():
        found = collect(config, folder, model, problems, scored)
        write_lines(path, (example.to_json() for example in found.examples))
        write_json(
            facts,
            {
                "kind": sft.kind,
                "examples": len(found.examples),
                "problems": found.problems,
                "left_out": found.left_out,
                "never_solved": found.never_solved,
            },
        )
    said = read_json(facts)
    rows: list[list[object]] = [["kept to learn from", said["examples"]]]
    rows += [[f"left out: {_words(name)}", n] for name, n in said["left_out"].items()]
    rows += [[_words(name), n] for name, n in said["problems"].items()]
    print_table(f"SFT data ({said['kind']})", ["", "n"], rows)
    summarise(folder, sft={name: said[name] for name in ("kind", "examples", "problems")})
    return [Example.from_json(row) for row in read_lines(path)]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _by_uid(problems: list[Problem]) -> dict[str, Problem]:
    return {problem.uid: problem for problem in problems}
