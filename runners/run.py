"""The main path: problems -> pass rates -> buckets -> curriculum -> training -> evaluation -> page.

Each step writes what it finished into the run's folder and is skipped where that stands, so the
same command goes on after any interruption.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from difficulty.engines.base import Engine
from difficulty.export import export_buckets
from runners.config import RunConfig
from runners.console import console, progress_bar
from runners.curriculum_check import check_names
from runners.disk_room import check_room
from runners.evaluation.evaluate import evaluate
from runners.evaluation.log import EvaluationLog
from runners.evaluation.summary import EvaluationRow, Phase
from runners.files import write_lines
from runners.flops import ledger
from runners.models.resolve import resolve_model
from runners.problem_set import ProblemSet, load_problems
from runners.profiling.bucket_picture import draw_buckets
from runners.profiling.scored import Scored
from runners.profiling.scoring import score_problems
from runners.report import write_run_report
from runners.run_dir import RunDir, open_run
from runners.sft.outcome import say_stages
from runners.sft.stage import check_sft, describe_sft, fine_tune, for_rl, rescore
from runners.summary import add_tokens, summarise, timed
from runners.trainer import TrainingJob

WHEN: dict[Phase, str] = {
    "before": "before training",
    "sft": "after SFT",
    "during": "during training",
    "after": "after training",
}


def run(config: RunConfig) -> Path:
    """Do the whole job; returns the path of the page."""
    config.trainer.check(config.curriculum, config.decoding)
    config.tracking.check()
    problems = load_problems(config)
    check_names(config, problems.training)
    if config.sft and config.sft.wanted:
        check_sft(config)
        console.print(describe_sft(config, problems), soft_wrap=True)
    model = resolve_model(config.model)
    folder = open_run(config)
    check_room(config.trainer, model, folder, config.sft)
    scored = score_problems(config, folder, problems)
    learnt = for_rl(config, problems)
    scored.check_curriculum(config, learnt)
    export(config, folder, problems, scored)
    evaluate_once(config, folder, model, problems, scored, "before")
    start, known = model, scored
    if config.sft and config.sft.wanted:
        start = fine_tune(config, folder, model, problems, scored)
        evaluate_once(config, folder, start, problems, scored, "sft")
        known = rescore(config, folder, start, learnt, scored)
        known.check_curriculum(config, learnt)
    trained = train(config, folder, start, learnt, known, scored.buckets)
    evaluate_once(config, folder, trained, problems, scored, "after")
    summarise(folder, flops=ledger(folder, model, config.trainer.rollouts_per_step))
    say_stages(config, folder)
    return write_run_report(folder.root)


def export(config: RunConfig, folder: RunDir, problems: ProblemSet, scored: Scored) -> None:
    """Write the buckets of the training pool with their picture, and the pool with its rates."""
    made_from = {"name": config.name, "model": config.model, "buckets": config.buckets.model_dump()}
    export_buckets(
        folder.buckets, problems.training, scored, problems.prompter, made_from, config.export
    )
    draw_buckets(scored, problems.training, folder.buckets / "buckets.png")
    write_lines(folder.pool, (scored.pool_row(problem) for problem in problems.training))


def evaluate_once(
    config: RunConfig,
    folder: RunDir,
    model: Path,
    problems: ProblemSet,
    scored: Scored,
    phase: Phase,
) -> None:
    """Evaluate a model folder before training, after SFT or after all, unless that stands already.

    `scored` names the buckets that the rows are told by, those of the base model throughout.
    """
    log = EvaluationLog(folder.evaluations)
    if log.has(phase, (problem.uid for problem in problems.evaluation)):
        return
    settings = config.evaluation.engine
    template = problems.prompter.style.chat_template
    with (
        timed(folder, "evaluate"),
        progress_bar(f"evaluating {WHEN[phase]}") as progress,
        settings.open(model, template) as engine,
    ):
        step = config.trainer.steps if phase == "after" else 0
        evaluated = evaluate(config, engine, problems, scored.buckets, phase, step, progress)
    log.write(evaluated.rows)
    add_tokens(folder, "evaluate", evaluated.generated_tokens)


def train(
    config: RunConfig,
    folder: RunDir,
    model: Path,
    problems: ProblemSet,
    scored: Scored,
    evaluation_buckets: Mapping[str, str],
) -> Path:
    """Train through the curriculum; returns the trained model's folder.

    `evaluation_buckets` are those that evaluation problems are told by, by uid.
    """
    log = EvaluationLog(folder.evaluations)

    def evaluate_during(engine: Engine, step: int) -> list[EvaluationRow]:
        evaluated = evaluate(config, engine, problems, evaluation_buckets, "during", step)
        log.write(evaluated.rows)
        add_tokens(folder, "evaluate", evaluated.generated_tokens)
        return evaluated.rows

    job = TrainingJob(
        model=model,
        folder=folder.training,
        problems={problem.uid: problem for problem in problems.training},
        pool=scored.pool(problems),
        scheduler=config.curriculum,
        prompter=problems.prompter,
        sampling=config.decoding,
        seed=config.seed,
        evaluation=tuple(problems.evaluation),
        evaluation_samples=config.evaluation.samples,
        evaluate_every=config.evaluation.every,
        evaluate=evaluate_during,
        evaluation_buckets=evaluation_buckets,
        evaluation_k=config.evaluation.k,
        tracking=config.tracking,
    )
    with timed(folder, "train"):
        trained = config.trainer.train(job)
    summarise(folder, trainer=config.trainer.model_dump(mode="json"))
    return trained
