"""The scoring stage of a run: pass rates measured, predicted in part, or taken from others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from difficulty.pass_rate import PassRate
from difficulty.prompts import Prompter
from difficulty.score import open_store, score, stored_rates
from domains.problem import Problem
from runners.config import RunConfig
from runners.console import progress_bar
from runners.models.resolve import resolve_model
from runners.problem_set import ProblemSet
from runners.profiling.import_rates import import_rates
from runners.profiling.scored import Scored
from runners.run_dir import RunDir, record_data
from runners.summary import set_tokens, summarise, timed


def score_problems(config: RunConfig, folder: RunDir, problems: ProblemSet) -> Scored:
    """Measure pass rates of the pool and of the evaluation set, and put them into buckets."""
    sets = {"training": problems.training, "evaluation": problems.evaluation}
    record_data(folder, {name: [p.uid for p in members] for name, members in sets.items()})
    if config.difficulty.imported:
        return import_rates(config, folder, problems)
    model, prompter = resolve_model(config.model), problems.prompter
    scores = config.difficulty.store or folder.scores
    scored = measure_rates(config, folder, problems.everything, prompter, model, scores, "score")
    identity = config.difficulty.engine.identity(model, prompter.style.chat_template)
    summarise(folder, name=config.name, model=config.model, engine=identity)
    return scored


def measure_rates(
    config: RunConfig,
    folder: RunDir,
    problems: Sequence[Problem],
    prompter: Prompter,
    model: Path,
    scores: Path,
    part: str,
) -> Scored:
    """Pass rates of a model, its completions kept in the folder `scores`.

    Seconds and generated tokens are counted as the run's `part`.
    """
    settings = config.difficulty
    store = open_store(
        scores, problems, settings.engine, model, prompter, config.decoding, config.seed
    )

    def measure(asked: Sequence[Problem]) -> list[PassRate]:
        with progress_bar(f"{part[:-1]}ing with {settings.engine.kind}") as progress:
            return score(
                asked,
                store,
                partial(settings.engine.open, model, prompter.style.chat_template),
                prompter,
                config.decoding,
                settings.sampling,
                config.seed,
                progress,
                config.bucket_edges,
            )

    with timed(folder, part):
        if settings.predict:
            from runners.profiling.predicted import score_share  # brings scikit-learn

            scored = score_share(problems, settings.predict, measure, config, folder)
        else:
            scored = Scored.of(measure(problems), config)
    set_tokens(folder, part, store.generated_tokens())
    return scored


def stored_of(
    config: RunConfig, scores: Path, problems: Sequence[Problem], prompter: Prompter, model: Path
) -> Scored:
    """What is stored of a model's pass rates; nothing is generated."""
    settings = config.difficulty
    store = open_store(
        scores, problems, settings.engine, model, prompter, config.decoding, config.seed
    )
    return Scored.of(stored_rates(problems, store, settings.sampling, config.bucket_edges), config)
