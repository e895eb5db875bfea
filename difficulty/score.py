"""Scoring: answer every problem n times, judge every answer, keep both, count.

Problems are taken in order of their uids, in chunks of fixed size; each finished chunk is a part
of the store. A scoring that is killed loses the chunk in flight and nothing else, and the same
call goes on. Completions depend on (seed, uid, sample) only, so with a batch-invariant engine
(float32) the resumed store equals that of a run that was never interrupted.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from difficulty.engine import Engine, EngineSettings, Request, Sampling, sampling_seed
from difficulty.pass_rate import PassRate
from difficulty.prompts import Prompter
from difficulty.store import ScoredCompletion, ScoreStore
from domains.judge import judge
from domains.problem import Problem

CHUNK = 64
"""Problems in a part of the store: what a kill can lose."""

Progress = Callable[[int, int], None]
"""Told (problems done, problems in all) after every chunk."""


def open_store(
    folder: Path,
    problems: Sequence[Problem],
    engine: EngineSettings,
    model: Path,
    prompter: Prompter,
    sampling: Sampling,
    seed: int,
) -> ScoreStore:
    """The store for these settings; `ValueError` when `folder` holds scores of another key."""
    checkers: dict[str, str] = {}
    for problem in problems:
        checkers[problem.source] = problem.checker.fingerprint()
    key = {
        **engine.identity(model, prompter.style.chat_template),
        "prompt": prompter.style.model_dump(mode="json"),
        "examples": {
            source: [p.uid for p in shown] for source, shown in prompter.examples.items() if shown
        },
        "decoding": sampling.model_dump(mode="json"),
        "seed": seed,
    }
    return ScoreStore(folder, key, checkers)


def score(
    problems: Sequence[Problem],
    store: ScoreStore,
    open_engine: Callable[[], Engine],
    prompter: Prompter,
    sampling: Sampling,
    samples: int,
    seed: int,
    progress: Progress | None = None,
) -> list[PassRate]:
    """Pass rates of `problems` over `samples` completions each, in the order of `problems`.

    What the store holds is not generated again; the engine is opened only if something is missing.
    """
    stored = store.counts()
    by_uid = {problem.uid: problem for problem in problems}
    missing = [by_uid[uid] for uid in sorted(by_uid) if stored.get(uid, 0) < samples]
    if progress:
        progress(len(by_uid) - len(missing), len(by_uid))
    if missing:
        with open_engine() as engine:
            for start in range(0, len(missing), CHUNK):
                chunk = missing[start : start + CHUNK]
                wanted = {p.uid: range(stored.get(p.uid, 0), samples) for p in chunk}
                store.write(score_chunk(chunk, wanted, engine, prompter, sampling, seed))
                if progress:
                    done = len(by_uid) - len(missing) + start + len(chunk)
                    progress(done, len(by_uid))
    return store.pass_rates([problem.uid for problem in problems], samples)


def score_chunk(
    problems: Sequence[Problem],
    wanted: dict[str, range],
    engine: Engine,
    prompter: Prompter,
    sampling: Sampling,
    seed: int,
    step: int = 0,
) -> list[ScoredCompletion]:
    """Generate and judge the `wanted` sample indices of each problem."""
    requests = [
        Request(
            p.uid,
            prompter.messages(p),
            tuple(sampling_seed(seed, p.uid, step, i) for i in wanted[p.uid]),
        )
        for p in problems
    ]
    rows: list[ScoredCompletion] = []
    for problem, completions in zip(problems, engine.generate(requests, sampling), strict=True):
        for sample, completion in zip(wanted[problem.uid], completions, strict=True):
            verdict = judge(problem, completion.text, completion.finish_reason)
            rows.append(
                ScoredCompletion(
                    problem.uid,
                    problem.domain,
                    sample,
                    completion.text,
                    completion.token_count,
                    completion.finish_reason,
                    verdict.status,
                    verdict.score,
                    verdict.answer,
                    verdict.reason,
                )
            )
    return rows
