"""The transfer search: how few target-domain problems are enough for a skill to carry over.

An Optuna study over (number of target problems, seed), in SQLite in the search's folder. A trial
is a real training from the base model on all source problems and N target problems, with the
config's curriculum and steps, and a real evaluation of what came out. Target sets of one seed are
nested: the 16 lie inside the 64. Trials that finished are never run again; one that was cut off
goes on from its own checkpoint.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import fmean
from typing import Any

from domains.problem import Problem
from domains.splits import nested_subset
from runners.config import RunConfig, TransferSettings
from runners.console import console
from runners.evaluation.log import EvaluationLog
from runners.evaluation.summary import EvaluationRow
from runners.files import write_json
from runners.models.resolve import resolve_model
from runners.problem_set import ProblemSet, load_problems
from runners.profiling.scored import Scored
from runners.profiling.scoring import score_problems
from runners.report import write_run_report, write_transfer_report
from runners.run import evaluate_once, export, train
from runners.run_dir import RunDir, open_run
from runners.transfer.analysis import TrialResult, analyse, as_json


def search_transfer(config: RunConfig) -> Path:
    """Run or go on with the search; returns the path of its page."""
    ask = config.transfer
    if ask is None:
        raise ValueError("transfer must be given (source, target, sizes, ...), but it is not there")
    if config.sft is not None:
        raise ValueError(
            "transfer searches from one model, so sft must be left out; name the fine-tuned folder "
            "as the model instead: model=runs/NAME/sft/model"
        )
    problems = load_problems(config)
    _check_domains(ask, problems)
    model = resolve_model(config.model)
    folder = open_run(config)
    scored = score_problems(config, folder, problems)
    evaluate_once(config, folder, model, problems, scored, "before")
    search = _Search(config, ask, folder, model, problems, scored)
    search.run()
    return write_transfer_report(folder.root)


def _check_domains(ask: TransferSettings, problems: ProblemSet) -> None:
    """Every named domain has problems, and the target has enough of them."""
    for name, domains in (("source", ask.source), ("target", ask.target)):
        for domain in domains:
            for part, members in (
                ("train on", problems.training),
                ("evaluate", problems.evaluation),
            ):
                if not any(p.domain == domain for p in members):
                    known = sorted({p.domain for p in members})
                    raise ValueError(
                        f"transfer.{name} must name domains with problems to {part} ({known}), "
                        f"but got {domain!r}"
                    )
    available = sum(p.domain in ask.target for p in problems.training)
    if ask.sizes[-1] > available:
        raise ValueError(
            f"transfer.sizes must be at most the {available} target problems there are to train "
            f"on, but got {ask.sizes[-1]}"
        )


class _Search:
    """One study and the trainings that belong to it."""

    def __init__(
        self,
        config: RunConfig,
        ask: TransferSettings,
        folder: RunDir,
        model: Path,
        problems: ProblemSet,
        scored: Scored,
    ) -> None:
        self.config, self.ask, self.folder, self.model = config, ask, folder, model
        self.problems, self.scored = problems, scored
        self.before = EvaluationLog(folder.evaluations).rows()

    def run(self) -> None:
        import optuna
        from optuna.trial import TrialState

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            study_name=self.config.name,
            storage=f"sqlite:///{self.folder.root / 'study.db'}",
            direction="maximize",
            load_if_exists=True,
        )
        for trial in study.get_trials(states=(TrialState.RUNNING,), deepcopy=False):
            study.tell(trial.number, state=TrialState.FAIL)  # left by a run that was killed
        queued = study.get_trials(states=(TrialState.COMPLETE, TrialState.WAITING), deepcopy=False)
        known = {
            (p["n_target"], p["seed"])
            for p in (t.params or t.system_attrs.get("fixed_params", {}) for t in queued)
        }
        grid = [(n, s) for s in range(self.ask.seeds) for n in (0, *self.ask.sizes)]
        for n_target, seed in grid:
            if (n_target, seed) not in known:
                study.enqueue_trial({"n_target": n_target, "seed": seed})
        left = len(study.get_trials(states=(TrialState.WAITING,), deepcopy=False))
        self._write(study)
        study.optimize(self._objective, n_trials=left, callbacks=[lambda s, _: self._write(s)])

    def _objective(self, trial: Any) -> float:
        """Train once; returns the target's gain in pass@1."""
        n_target = trial.suggest_categorical("n_target", [0, *self.ask.sizes])
        seed = trial.suggest_categorical("seed", list(range(self.ask.seeds)))
        start = time.perf_counter()
        folder = self._train(n_target, seed)
        after = self._rows(folder)
        facts = {
            "folder": str(folder.root.relative_to(self.folder.root)),
            "target_before": _mean(self.before, self.ask.target),
            "target_after": _mean(after, self.ask.target),
            "source_before": _mean(self.before, self.ask.source),
            "source_after": _mean(after, self.ask.source),
            "seconds": round(time.perf_counter() - start, 2),
        }
        for name, value in facts.items():
            trial.set_user_attr(name, value)
        gain = float(facts["target_after"]) - float(facts["target_before"])  # type: ignore[arg-type]
        console.print(f"{n_target:>6} target problems, seed {seed}: gain {gain:+.3f}")
        return gain

    def _train(self, n_target: int, seed: int) -> RunDir:
        """One trial's training, evaluation and page, in a run folder of its own."""
        name = f"n{n_target:04d}-s{seed}"
        config = self.config.model_copy(
            update={
                "name": name,
                "out": self.folder.root / "trials",
                "seed": self.config.seed + seed,
            }
        )
        folder = open_run(config)
        problems = ProblemSet(
            self._training_set(n_target, seed), self.problems.evaluation, self.problems.prompter
        )
        EvaluationLog(folder.evaluations).write(self.before)
        export(config, folder, problems, self.scored)
        trained = train(config, folder, self.model, problems, self.scored, self.scored.buckets)
        evaluate_once(config, folder, trained, problems, self.scored, "after")
        write_run_report(folder.root)
        return folder

    def _training_set(self, n_target: int, seed: int) -> list[Problem]:
        """All source problems and `n_target` target problems of this seed's own order."""
        training = self.problems.training
        target = [p for p in training if p.domain in self.ask.target]
        chosen = nested_subset(target, n_target, salt=f"transfer:{self.config.seed}:{seed}")
        return [p for p in training if p.domain in self.ask.source] + chosen

    def _rows(self, folder: RunDir) -> list[EvaluationRow]:
        return [row for row in EvaluationLog(folder.evaluations).rows() if row.phase == "after"]

    def _write(self, study: Any) -> None:
        """transfer.json as far as the study has come."""
        done = [t for t in study.get_trials(deepcopy=False) if t.state.name == "COMPLETE"]
        results = [self._result(trial) for trial in done]
        answer: dict[str, Any] = {"curve": [], "minimum": None}
        if len(done) >= self.ask.seeds * (1 + len(self.ask.sizes)):
            base = _by_uid(self.before, self.ask.target)
            answer = as_json(*analyse(base, results, self.ask, self.config.seed))
        trials = [
            {"number": t.number, **t.params, **t.user_attrs, "state": t.state.name} for t in done
        ]
        write_json(
            self.folder.root / "transfer.json",
            {
                "name": self.config.name,
                "source": list(self.ask.source),
                "target": list(self.ask.target),
                "ask": {
                    "gain": self.ask.gain,
                    "retention": self.ask.retention,
                    "confidence": self.ask.confidence,
                },
                "base": {
                    "target": _mean(self.before, self.ask.target),
                    "source": _mean(self.before, self.ask.source),
                },
                "trials": trials,
                **answer,
            },
        )

    def _result(self, trial: Any) -> TrialResult:
        rows = self._rows(RunDir(self.folder.root / trial.user_attrs["folder"]))
        return TrialResult(
            trial.params["n_target"],
            trial.params["seed"],
            _by_uid(rows, self.ask.target),
            _by_uid(rows, self.ask.source),
        )


def _by_uid(rows: list[EvaluationRow], domains: tuple[str, ...]) -> dict[str, float]:
    """pass@1 of each problem of some domains; problems without a graded completion are missing."""
    return {row.uid: row.correct / row.n for row in rows if row.domain in domains and row.n}


def _mean(rows: list[EvaluationRow], domains: tuple[str, ...]) -> float:
    return fmean(_by_uid(rows, domains).values())
