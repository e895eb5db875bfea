"""The parts of the main path by themselves: what `score`, `export`, `eval` and `check` do."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import fmean

import numpy as np

from difficulty.pass_rate import mean_by_domain, posteriors
from domains.problem import Problem
from runners.config import RunConfig
from runners.console import console, print_table, progress_bar
from runners.curriculum_check import check_names
from runners.disk_room import check_room
from runners.evaluation.evaluate import evaluate
from runners.evaluation.summary import summarise
from runners.files import read_json, write_lines
from runners.models.resolve import resolve_model
from runners.problem_set import load_problems
from runners.profiling.scored import Scored
from runners.profiling.scoring import score_problems
from runners.run import export
from runners.run_dir import RunDir, open_run
from runners.sft.stage import check_sft, describe_sft


def score_only(config: RunConfig) -> None:
    """Score, and print pass rates and buckets by domain."""
    problems = load_problems(config)
    folder = open_run(config)
    scored = score_problems(config, folder, problems)
    means = mean_by_domain(list(scored.rates.values()), scored.posteriors)
    among = [rate.without_truncated() for rate in scored.rates.values()]
    finished = mean_by_domain(among, posteriors(among))
    rows: list[list[object]] = []
    for domain in dict.fromkeys(p.domain for p in problems.everything):
        rates = [r for r in scored.rates.values() if r.domain == domain]
        rows.append(
            [
                domain,
                len(rates),
                sum(r.n for r in rates),
                f"{means[domain]:.3f}" if domain in means else "",
                f"{finished[domain]:.3f}" if domain in finished else "",
                sum(r.correct for r in rates),
                sum(r.wrong for r in rates),
                sum(r.no_answer for r in rates),
                sum(r.truncated for r in rates),
                sum(r.verifier_errors for r in rates),
            ]
        )
    header = ["domain", "problems", "n", "pass rate", "of finished", "correct", "wrong"]
    print_table("Pass rates", [*header, "no answer", "truncated", "checker failed"], rows)
    _print_buckets(scored)
    n = [rate.n for rate in scored.rates.values()]
    console.print(f"{fmean(n):.1f} completions a problem ({min(n)} to {max(n)})")
    misplaced = scored.placed.misplaced()
    if misplaced is not None:
        console.print(f"expected in a wrong bucket: {misplaced:.1%} of {len(scored.buckets)}")
        error = config.difficulty.sampling.error
        if error is not None and misplaced > 1.05 * error:
            console.print(
                f"[yellow]that is more than difficulty.sampling.target.error={error}: many pass "
                "rates lie close to an edge; raise difficulty.sampling.most or move buckets.edges"
                "[/yellow]"
            )
    if not config.difficulty.imported:
        console.print(f"scores: {config.difficulty.store or folder.scores}", soft_wrap=True)


def export_only(config: RunConfig) -> None:
    """Score what is missing, and write the buckets."""
    problems = load_problems(config)
    folder = open_run(config)
    scored = score_problems(config, folder, problems)
    export(config, folder, problems, scored)
    manifest = read_json(folder.buckets / "manifest.json")
    rows = [[f["file"], f["rows"], f["sha256"][:12]] for f in manifest["files"]]
    print_table(f"Buckets in {folder.buckets}", ["file", "rows", "sha256"], rows)
    for reason, n in manifest["left_out"].items():
        console.print(f"left out: {n} ({reason.replace('_', ' ')})")
    console.print(f"picture: {folder.buckets / 'buckets.png'}", soft_wrap=True)


def evaluate_only(config: RunConfig, model: str | None) -> None:
    """Evaluate one model, print pass@k by domain, write eval-<model>.jsonl."""
    problems = load_problems(config)
    path = resolve_model(model or config.model)
    folder = open_run(config)
    settings = config.evaluation
    with (
        progress_bar(f"evaluating {path.name}") as progress,
        settings.engine.open(path, problems.prompter.style.chat_template) as engine,
    ):
        evaluated = evaluate(config, engine, problems, {}, "before", 0, progress)
    lines: list[list[object]] = []
    for k in settings.k:
        for summary in summarise(evaluated.rows, k, by=("domain",), seed=config.seed):
            found = summary.pass_at_k
            lines.append(
                [
                    summary.group[0],
                    f"pass@{k}",
                    f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]",
                    found.n_problems,
                    summary.n_samples,
                ]
            )
    header = ["domain", "", "mean [95% interval]", "problems", "samples"]
    print_table(f"{path}", header, sorted(lines, key=lambda line: str(line[0])))
    out = folder.root / f"eval-{path.parent.name}-{path.name}.jsonl"
    write_lines(out, (row.to_json() for row in evaluated.rows))
    console.print(f"rows: {out}", soft_wrap=True)


def check_only(config: RunConfig) -> None:
    """Load all problems and say what a run would do."""
    config.trainer.check(config.curriculum, config.decoding)
    config.tracking.check()
    problems = load_problems(config)
    check_names(config, problems.training)
    local = Path(config.model).expanduser()
    if local.is_dir():
        check_room(config.trainer, local, RunDir(config.out / config.name), config.sft)
    sets = (("training", problems.training), ("evaluation", problems.evaluation))
    rows = [[name, domain, count] for name, members in sets for domain, count in _domains(members)]
    print_table("Problems", ["set", "domain", "problems"], rows)
    trainer = config.trainer
    console.print(
        f"{trainer.kind} trainer, {trainer.algorithm}: {trainer.steps} steps of "
        f"{trainer.prompts_per_step} prompts x {trainer.samples_per_prompt} samples, "
        f"curriculum {config.curriculum.kind}"
    )
    if config.sft and config.sft.wanted:
        check_sft(config)
        console.print(describe_sft(config, problems), soft_wrap=True)
    console.print("the config is valid")


def _print_buckets(scored: Scored) -> None:
    """Problems by hard label, how many are expected by probability, and what filters left out."""
    placed = scored.placed
    counts = Counter(placed.names.values())
    expected = sum(placed.soft.values(), np.zeros(len(placed.order)))
    rows = [[name, counts[name], f"{expected[i]:.1f}"] for i, name in enumerate(placed.order)]
    print_table("Buckets", ["bucket", "problems", "expected"], rows)
    for reason, n in Counter(placed.dropped.values()).items():
        console.print(f"left out: {n} ({reason.replace('_', ' ')})")


def _domains(problems: list[Problem]) -> list[tuple[str, int]]:
    return Counter(problem.domain for problem in problems).most_common()
