"""`curricle plan`: what a curriculum would train on, step by step, without training.

Outcomes are imagined at the pass rates measured now: each prompt's reward is its posterior mean,
so a gate on rewards opens no earlier than the base model would open it. Nothing is generated;
problems that have not been scored have no bucket.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from curricula.base import Item, Outcome
from runners.config import RunConfig
from runners.console import console, print_table
from runners.files import write_lines
from runners.models.resolve import resolve_model
from runners.planning.memory import print_memory
from runners.planning.order import write_order
from runners.planning.picture import draw_plan
from runners.planning.simulation import SimulatedPlan, band, simulate_plan
from runners.planning.simulation_picture import draw_simulation
from runners.problem_set import ProblemSet, as_item, load_problems
from runners.profiling.import_rates import import_rates
from runners.profiling.scored import Scored
from runners.profiling.scoring import stored_of
from runners.run_dir import RunDir, open_run
from runners.sft.stage import describe_sft, for_rl, known_rates
from runners.simulated.trainer import SimulatedTrainer


def plan(config: RunConfig, parquet: Path | None = None) -> Path:
    """Print the plan by stage, write plan.jsonl and a picture; returns the picture's path.

    With `parquet`, the rows in their order go to that file too, for trainers that know no
    curriculum.
    """
    print_memory(config)
    problems = load_problems(config)
    folder = open_run(config)
    problems, scored = _known(config, folder, problems)
    scored = known_rates(config, folder, problems, scored)
    pool = scored.pool(problems)
    if not scored.posteriors:
        console.print("[yellow]nothing is scored yet: buckets need `curricle score` first[/yellow]")
    rows = imagine(config, pool)
    write_lines(folder.root / "plan.jsonl", rows)
    _print_stages(rows, {item.uid: item for item in pool})
    if parquet is not None:
        settings = write_order(rows, problems, scored, parquet)
        console.print(f"in verl's words: {' '.join(settings)}", soft_wrap=True, highlight=False)
    return draw_plan(rows, pool, folder.root / "plan.png")


def plan_simulated(config: RunConfig, seeds: int, like: Path | None = None) -> Path:
    """Train learner models through the plan, write plan-simulated.jsonl and a picture.

    The learner is fitted to the run `like`; else it is the trainer's, where that is simulated, or
    the default. Returns the picture's path. Raises `ValueError` where nothing has been scored.
    """
    problems = load_problems(config)
    folder = open_run(config)
    problems, scored = _known(config, folder, problems)
    pool = scored.pool(problems)
    tested = [
        as_item(p, scored.buckets.get(p.uid), scored.posteriors[p.uid].mean)
        for p in problems.evaluation
        if p.uid in scored.posteriors
    ]
    trainer = config.trainer if isinstance(config.trainer, SimulatedTrainer) else SimulatedTrainer()
    settings = trainer.model_copy(update={"like": like} if like else {}).fitted()
    found = simulate_plan(config, pool, tested, settings, seeds)
    write_lines(folder.root / "plan-simulated.jsonl", found.rows())
    _print_levels(found, seeds)
    console.print(f"learner: {settings}", soft_wrap=True, highlight=False)
    return draw_simulation(found, pool, folder.root / "plan-simulated.png")


def _print_levels(found: SimulatedPlan, seeds: int) -> None:
    lines: list[list[object]] = []
    for domain, values in found.levels.items():
        mean, low, high = band(values[:, -1])
        drawn = "yes" if domain in found.trained_on else "no"
        lines.append([domain, drawn, f"{values[:, 0].mean():.3f}", f"{mean:.3f}", low, high])
    header = ["domain", "drawn", "pass rate before", "after", "5% of seeds", "95% of seeds"]
    title = f"Simulated: {len(found.stages)} steps, {seeds} seeds (a learner model)"
    print_table(title, header, lines)


def _known(config: RunConfig, folder: RunDir, problems: ProblemSet) -> tuple[ProblemSet, Scored]:
    """The problems that a curriculum gets, and what the base model's rates are known to be."""
    scores = config.difficulty.store or folder.scores
    if config.difficulty.imported:
        scored = import_rates(config, folder, problems)
    elif scores.exists():
        model = resolve_model(config.model)
        scored = stored_of(config, scores, problems.everything, problems.prompter, model)
    else:
        scored = Scored.of([], config)  # which no model is needed to know
    rl = for_rl(config, problems)
    if config.sft and config.sft.wanted:
        console.print(describe_sft(config, problems), soft_wrap=True)
    return rl, scored


def imagine(config: RunConfig, pool: tuple[Item, ...]) -> list[dict[str, Any]]:
    """One row a step, as in curriculum.jsonl, with the expected mean reward."""
    by_uid = {item.uid: item for item in pool}
    curriculum = config.curriculum.build(pool, config.trainer.steps, config.seed)
    rows: list[dict[str, Any]] = []
    while batch := curriculum.next_batch(config.trainer.prompts_per_step):
        rewards = {uid: by_uid[uid].pass_rate for uid in batch.uids}
        outcomes = [
            Outcome(uid, (reward,)) for uid, reward in rewards.items() if reward is not None
        ]
        curriculum.observe(outcomes)
        expected = [outcome.rewards[0] for outcome in outcomes]
        rows.append(
            {
                "step": batch.step,
                "stage": batch.stage,
                "uids": list(batch.uids),
                "mean_reward": sum(expected) / len(expected) if expected else None,
            }
        )
    return rows


def _print_stages(rows: list[dict[str, Any]], by_uid: dict[str, Item]) -> None:
    lines: list[list[object]] = []
    for stage in dict.fromkeys(row["stage"] for row in rows):
        own = [row for row in rows if row["stage"] == stage]
        drawn = [by_uid[uid] for row in own for uid in row["uids"]]
        expected = [row["mean_reward"] for row in own if row["mean_reward"] is not None]
        lines.append(
            [
                stage,
                f"{own[0]['step']}-{own[-1]['step']}",
                len(drawn),
                len({item.uid for item in drawn}),
                _shares(Counter(item.domain for item in drawn)),
                _shares(Counter(item.bucket or "unscored" for item in drawn)),
                f"{sum(expected) / len(expected):.2f}" if expected else "",
            ]
        )
    header = ["stage", "steps", "prompts", "different", "domains", "buckets", "expected reward"]
    print_table("What would be trained on", header, lines)


def _shares(counts: Counter[str]) -> str:
    total = counts.total()
    return ", ".join(f"{name} {count / total:.0%}" for name, count in counts.most_common())
