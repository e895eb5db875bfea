"""The simulated trainer: a learner model in place of the policy, a run in seconds.

It writes what every trainer writes, so a run's page, its diagnostics and a transfer search work on
it, and a curriculum can be tried, and its config debugged, before any model is trained. What the
learner is and assumes stands in `curricula/learner.py`. Nothing here says how well a real model
will do: the evaluation before training is of the real model, those during and after training are
drawn from the learner, and the trained "model" is its abilities in a JSON file.

It starts anew when interrupted: a whole training takes less than a checkpoint is worth.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from curricula.learner import LearnerSettings, ProblemTable
from curricula.machinery.deck import generator
from curricula.simulate import SimulatedStep, Simulation
from domains.problem import Problem
from runners.evaluation.log import EvaluationLog
from runners.evaluation.summary import EvaluationRow, Phase
from runners.files import write_json
from runners.simulated.learner_fit import fit, posterior_rates
from runners.tracking.rollout_records import rollout_rows
from runners.tracking.training_log import TrainingLog, drawn_row, outcome_figures
from runners.trainer import Trainer, TrainingJob


class SimulatedTrainer(Trainer):
    """Train a learner model; settings that speak of weights and losses are not used."""

    kind: Literal["simulated"] = "simulated"
    learner: LearnerSettings = LearnerSettings()
    """How fast, how far and how broadly it learns."""
    like: Path | None = None
    """A real run's folder to fit the learner to, beginning at `learner`; None takes that as is."""

    def train(self, job: TrainingJob) -> Path:
        trained = job.folder / "model"
        if not trained.is_dir():
            _Training(self, job).run(trained)
        return trained

    def fitted(self) -> LearnerSettings:
        """The learner, fitted where a run is named."""
        return fit(self.like, self.learner) if self.like else self.learner


class _Training:
    """One training as it runs."""

    def __init__(self, settings: SimulatedTrainer, job: TrainingJob) -> None:
        self.settings, self.job = settings, job
        self.evaluations = EvaluationLog(job.folder.parent / "evaluations.jsonl")
        rates = posterior_rates([r for r in self.evaluations.rows() if r.phase == "before"])
        self.tested = [problem for problem in job.evaluation if problem.uid in rates]
        self.learner_settings = settings.fitted()
        self.simulation = Simulation(
            job.scheduler,
            job.pool,
            self.learner_settings,
            steps=settings.steps,
            prompts=settings.prompts_per_step,
            samples=settings.samples_per_prompt,
            seed=job.seed,
            domains={problem.domain for problem in self.tested},
        )
        self.unseen = ProblemTable.of(
            self.simulation.learner.problems.domains,
            [problem.domain for problem in self.tested],
            [rates[problem.uid] for problem in self.tested],
        )

    def run(self, trained: Path) -> None:
        log = TrainingLog(self.job.folder, self.job.tracking, self.settings.model_dump())
        log.go_back_to(0)
        domain_of = {item.uid: item.domain for item in self.job.pool}
        buckets = {item.uid: item.bucket for item in self.job.pool}
        step = 0
        for done in self.simulation:
            step = done.batch.step
            drawn = [outcome.uid for outcome in done.outcomes]
            metrics = self._metrics(done, domain_of.__getitem__)
            recorded = rollout_rows(
                self.job.tracking.rollouts,
                done.batch, done.outcomes, done.choices, domain_of.__getitem__, buckets,
            )  # fmt: skip
            log.write(metrics, drawn_row(done.batch, drawn, done.outcomes), recorded)
            every = self.job.evaluate_every
            if every and step % every == 0 and step < self.settings.steps:
                log.evaluated(step, self._evaluate("during", step), self.job.evaluation_k)
        log.close()
        self._evaluate("after", self.settings.steps)
        self._save(trained, step)

    def _metrics(self, done: SimulatedStep, domain_of: Callable[[str], str]) -> dict[str, Any]:
        return outcome_figures(done.batch, done.outcomes, domain_of) | {
            **self.simulation.curriculum.metrics(),
            "trained_tokens": done.trained * self.learner_settings.tokens,
        }

    def _evaluate(self, phase: Phase, step: int) -> list[EvaluationRow]:
        """Draw completions of each evaluation problem at the learner's pass rate now.

        A problem that nothing could be judged of before training has no rate, so none is drawn.
        """
        samples = self.job.evaluation_samples
        rates = self.simulation.learner.pass_rates(self.unseen)
        rng = generator(self.job.seed, "simulated evaluation", phase, step)
        uids = [problem.uid for problem in self.tested]
        right = dict(zip(uids, rng.binomial(samples, rates).tolist(), strict=True))
        rows = [
            _row(
                problem, phase, step, self.job.evaluation_buckets.get(problem.uid),
                samples if problem.uid in right else 0, right.get(problem.uid, 0),
            )
            for problem in self.job.evaluation
        ]  # fmt: skip
        self.evaluations.write(rows)
        return rows

    def _save(self, trained: Path, steps: int) -> None:
        learner = self.simulation.learner
        beside = trained.with_name(f"{trained.name}.{os.getpid()}.tmp")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        abilities = np.round(learner.abilities, 6).reshape(len(learner.problems.domains), -1)
        state = {
            "kind": "simulated",
            "steps": steps,
            "learner": self.learner_settings.model_dump(mode="json"),
            "abilities": dict(zip(learner.problems.domains, abilities.tolist(), strict=True)),
        }
        write_json(beside / "learner.json", state)
        beside.rename(trained)


def _row(
    problem: Problem, phase: Phase, step: int, bucket: str | None, n: int, correct: int
) -> EvaluationRow:
    return EvaluationRow(
        phase=phase,
        step=step,
        uid=problem.uid,
        domain=problem.domain,
        source=problem.source,
        bucket=bucket,
        n=n,
        correct=correct,
        wrong=n - correct,
        no_answer=0,
        truncated=0,
        verifier_errors=0,
    )
