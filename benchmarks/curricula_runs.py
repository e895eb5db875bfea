"""One seed's problems, and trainings on them: real ones, and the learner model's.

Every real training is an ordinary run folder (config, pool, log, evaluations), so that a learner
model can be fitted to it and `curricle report` shows it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from courses import Course, Point, spent_on, token_cost

from curricula import Item, Scheduler
from curricula.learner import LearnerSettings, ProblemTable
from curricula.machinery.pool import Pool
from curricula.simulate import Simulation
from difficulty.engines.base import Engine
from domains.splits import nested_subset
from runners.config import RunConfig
from runners.evaluation.evaluate import evaluate
from runners.evaluation.log import EvaluationLog
from runners.evaluation.summary import EvaluationRow, Phase
from runners.files import read_json, read_lines, write_json, write_lines
from runners.flops import FORWARD
from runners.models.resolve import resolve_model
from runners.problem_set import ProblemSet, load_problems
from runners.profiling.scored import Scored
from runners.profiling.scoring import score_problems
from runners.run_dir import open_run
from runners.simulated.learner_fit import posterior_rates
from runners.trainer import TrainingJob

PROMPTS, SAMPLES = 16, 8
POOL = 320
"""Problems that are scored and trained on: mixed sees each of them about twice."""
PROFILE = 8
"""Completions that score a problem."""
HELD_OUT, EVALUATED = 48, 4
"""Held-out problems of each domain, and completions of each at every evaluation."""


@dataclass(frozen=True)
class Ground:
    """One seed's problems, scored, and the model before training."""

    config: RunConfig
    problems: ProblemSet
    scored: Scored
    before: list[EvaluationRow]
    profile: float
    """FLOPs of the scoring."""

    @property
    def pool(self) -> Pool:
        return Pool.of(self.scored.pool(self.problems))

    @property
    def unscored(self) -> Pool:
        return Pool.of([Item(i.uid, i.domain, i.source, labels=i.labels) for i in self.pool])

    @property
    def start(self) -> Point:
        return Point(0.0, 0.0, mean_level(self.before))


def prepare(out: Path, seed: int) -> Ground:
    """Draw a seed's problems, score the pool once, and evaluate the model as it is."""
    config = RunConfig.model_validate(
        {
            "name": "scoring",
            "out": out,
            "seed": seed,
            "problems": [{"kind": "tiny", "size": 60, "seed": seed}],
            "decoding": {"max_tokens": 24},
            "difficulty": {
                "engine": {"kind": "transformers", "threads": 1},
                "samples": PROFILE,
                "store": out / "scores",
            },
            "buckets": {"kind": "quantiles", "parts": 3},
            "trainer": {
                "kind": "local",
                "threads": 1,
                "checkpoint_every": 1_000_000,
            },
            "evaluation": {
                "holdout": 0.3,
                "where": {"labels": {"level": [2, 3, 4, 5]}},
                "limit": HELD_OUT,
                "samples": EVALUATED,
                "k": [1],
                "every": 1,
                "engine": {"kind": "transformers", "threads": 1},
            },
            "tracking": {"rollouts": {"every": 0}},
        }
    )
    drawn = load_problems(config)
    pool = nested_subset(drawn.training, POOL, salt=f"pool {seed}")
    problems = ProblemSet(pool, drawn.evaluation, drawn.prompter)
    folder = open_run(config)
    scored = score_problems(config, folder, ProblemSet(pool, [], drawn.prompter))
    profile = FORWARD * read_json(folder.summary)["tokens"]["score"]
    with _open(config, problems, resolve_model(config.model)) as engine:
        before = evaluate(config, engine, problems, {}, "before", 0).rows
    return Ground(config, problems, scored, before, profile)


def _open(config: RunConfig, problems: ProblemSet, model: Path) -> Engine:
    return config.evaluation.engine.open(model, problems.prompter.style.chat_template)


def same_protocol(out: Path, numbers: list[int], settings: Mapping[str, Any]) -> None:
    """Refuse a folder with results of other settings; further curricula may come in."""
    path = out / "protocol.json"
    stored = read_json(path) or {"numbers": numbers, "settings": {}}
    known = stored["settings"]
    changed = [name for name in settings if known.get(name, settings[name]) != settings[name]]
    if changed or stored["numbers"] != numbers:
        what = ", ".join(changed) or f"{stored['numbers']}, not {numbers}"
        raise SystemExit(f"{out} holds results of other settings ({what}): name another --out")
    out.mkdir(parents=True, exist_ok=True)
    write_json(path, {"numbers": numbers, "settings": {**known, **settings}})


def mean_level(rows: Sequence[EvaluationRow]) -> float:
    return fmean(row.correct / row.n for row in rows if row.n)


class _Enough(Exception):
    """Ends a training that has told what was asked."""


def train(
    ground: Ground,
    name: str,
    scheduler: Scheduler,
    batch: tuple[int, int],
    seed: int,
    steps: int,
    course: Course,
) -> None:
    """Train the model anew in the folder NAME and fill the course.

    `batch`: prompts a step and rollouts of each.
    """
    prompts, samples = batch
    trainer = ground.config.trainer.model_copy(
        update={"steps": steps, "prompts_per_step": prompts, "samples_per_prompt": samples}
    )
    config = ground.config.model_copy(
        update={"name": name, "seed": seed, "curriculum": scheduler, "trainer": trainer}
    )
    shutil.rmtree(config.out / name, ignore_errors=True)
    folder = open_run(config)
    write_lines(folder.pool, (ground.scored.pool_row(p) for p in ground.problems.training))
    log = EvaluationLog(folder.evaluations)
    log.write(ground.before)
    course.points.append(ground.start)

    def look(engine: Engine, step: int, phase: Phase = "during") -> Sequence[EvaluationRow]:
        spent, skipping = token_cost(read_lines(folder.training / "metrics.jsonl"), samples)
        if phase == "during" and not course.due(step, spent):
            return []
        rows = evaluate(config, engine, ground.problems, {}, phase, step).rows
        log.write(rows)
        course.points.append(Point(spent, skipping, mean_level(rows)))
        if phase == "during" and course.enough(course.points):
            raise _Enough
        return rows

    job = TrainingJob(
        model=resolve_model(config.model),
        folder=folder.training,
        problems={problem.uid: problem for problem in ground.problems.training},
        pool=ground.scored.pool(ground.problems),
        scheduler=scheduler,
        prompter=ground.problems.prompter,
        sampling=config.decoding,
        seed=seed,
        evaluation=tuple(ground.problems.evaluation),
        evaluation_samples=config.evaluation.samples,
        evaluate_every=config.evaluation.every,
        evaluate=look,
        tracking=config.tracking,
    )
    try:
        trained = trainer.train(job)
    except _Enough:
        return
    with _open(config, ground.problems, trained) as engine:
        look(engine, steps, "after")


def simulate(
    ground: Ground,
    learner: LearnerSettings,
    scheduler: Scheduler,
    batch: tuple[int, int],
    seed: int,
    steps: int,
    course: Course,
) -> None:
    """The same with a learner model, which starts at the scored pass rates."""
    rates = posterior_rates(ground.before)
    known = [row for row in ground.before if row.uid in rates]
    domains = sorted({row.domain for row in known} | {item.domain for item in ground.pool})
    simulation = Simulation(
        scheduler, ground.pool, learner, steps=steps, prompts=batch[0],
        samples=batch[1], seed=seed, domains=domains,
    )  # fmt: skip
    held_out = ProblemTable.of(
        simulation.learner.problems.domains,
        [row.domain for row in known],
        np.array([rates[row.uid] for row in known]),
    )
    generated = trained = informative = 0

    def look() -> None:
        course.points.append(
            Point(
                learner.tokens * spent_on(generated, trained),
                learner.tokens * spent_on(generated, informative),
                float(simulation.learner.pass_rates(held_out).mean()),
            )
        )

    look()
    for step in simulation:
        generated, trained = generated + step.rollouts, trained + step.trained
        informative += step.informative
        spent = learner.tokens * spent_on(generated, trained)
        if course.due(step.batch.step, spent):
            look()
            if course.enough(course.points):
                return
    if course.points[-1].spent < learner.tokens * spent_on(generated, trained):
        look()
