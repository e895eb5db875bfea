"""Scoring: answer every problem as often as the plan asks, judge every answer, keep both, count.

Problems are taken in order of their uids, in blocks of fixed size. In a block the sampling plan
is asked, round by round, how many more completions each problem gets; a round is one stream of
requests through the engine, judged as they come back, and written in parts. Several writers share
a round (`store/sharing.py`); a plan sees the verdicts of its own block and nothing else.

No state is kept beside the store. A scoring that is killed loses what was in flight and not yet
written, and nothing else: the same call asks the plan again from the first round on, and what the
store holds is read instead of generated. Completions depend on (seed, uid, sample) only, so with a
batch-invariant engine (float32) the resumed store equals that of a run never interrupted.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from difficulty.adaptive import SamplingPlan, Tally
from difficulty.engines.base import (
    Completion,
    Engine,
    EngineSettings,
    Request,
    Sampling,
    sampling_seed,
)
from difficulty.pass_rate import PassRate, count_verdicts
from difficulty.prior import Ints
from difficulty.prompts import Prompter
from difficulty.store.completions import ScoredCompletion, ScoreStore
from difficulty.store.regrade import checkers_of, fingerprints, refuse_stale
from difficulty.store.sharing import Known, Sharing
from domains.judge import judge
from domains.problem import Problem

BLOCK = 16_384
"""Problems that a plan decides on together: enough to learn a prior of."""
FIVE_EQUAL = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

_MOST_UNJUDGED = 4096
"""Answered problems that may wait for their verdicts."""

Rows = list[ScoredCompletion]
Progress = Callable[[int, int], None]
"""Told (completions done, completions expected in all) after every chunk."""


def store_key(
    engine: EngineSettings, model: Path, prompter: Prompter, sampling: Sampling, seed: int
) -> dict[str, Any]:
    """What makes completions their own, but for the checkers: the key of a store."""
    return {
        **engine.identity(model, prompter.style.chat_template),
        "prompt": prompter.style.model_dump(mode="json"),
        "examples": {
            source: [p.uid for p in shown] for source, shown in prompter.examples.items() if shown
        },
        "decoding": sampling.model_dump(mode="json"),
        "seed": seed,
    }


def open_store(
    folder: Path,
    problems: Sequence[Problem],
    engine: EngineSettings,
    model: Path,
    prompter: Prompter,
    sampling: Sampling,
    seed: int,
) -> ScoreStore:
    """The store for these settings, to be read, written or regraded.

    Raises `ValueError` when `folder` holds scores of another key. Whether all verdicts in it are of
    the problems' checkers is for `regrade.refuse_stale` to say.
    """
    key = store_key(engine, model, prompter, sampling, seed)
    return ScoreStore(folder, key, checkers_of(problems, fingerprints(problems)))


def score(
    problems: Sequence[Problem],
    store: ScoreStore,
    open_engine: Callable[[], Engine],
    prompter: Prompter,
    sampling: Sampling,
    plan: SamplingPlan,
    seed: int,
    progress: Progress | None = None,
    edges: Sequence[float] = FIVE_EQUAL,
) -> list[PassRate]:
    """Pass rates of `problems` over the completions that `plan` asks for, in their order.

    `edges` are the pass rates between buckets that an adaptive plan decides by. What the store
    holds is not generated again; the engine is opened only if something is missing.
    """
    refuse_stale(store, problems, fingerprints(problems))
    sharing = Sharing(store)
    with ExitStack() as stack:
        engine = cache(lambda: stack.enter_context(open_engine()))

        def generate(asked: Sequence[Problem], wanted: dict[str, range]) -> Iterator[Rows]:
            def answer(mine: Iterable[Problem]) -> Iterator[Rows]:
                return score_stream(mine, wanted, engine(), prompter, sampling, seed)

            return sharing.fill(asked, wanted, answer)

        return _play(problems, sharing.known, plan, edges, generate, progress)


def stored_rates(
    problems: Sequence[Problem],
    store: ScoreStore,
    plan: SamplingPlan,
    edges: Sequence[float] = FIVE_EQUAL,
) -> list[PassRate]:
    """What `score` would return if it stopped where it first had to generate: nothing is opened.

    A problem without completions gets n = 0, which is missing, not zero.
    """
    refuse_stale(store, problems, fingerprints(problems))
    return _play(problems, store.statuses(), plan, edges, None, None)


def score_stream(
    problems: Iterable[Problem],
    wanted: Mapping[str, range],
    engine: Engine,
    prompter: Prompter,
    sampling: Sampling,
    seed: int,
    step: int = 0,
) -> Iterator[Rows]:
    """The `wanted` samples of each problem, generated and judged: its rows as they are ready.

    Judging goes on in threads while the engine generates. The engine waits for it only where
    `_MOST_UNJUDGED` answered problems are waiting already.
    """
    asked: dict[int, Problem] = {}

    def requests() -> Iterator[Request]:
        for p in problems:
            seeds = tuple(sampling_seed(seed, p.uid, step, i) for i in wanted[p.uid])
            request = Request(p.uid, prompter.messages(p), seeds)
            asked[id(request)] = p
            yield request

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as judges:
        judging: deque[Future[Rows]] = deque()
        failure: BaseException | None = None
        try:
            for request, completions in engine.stream(requests(), sampling):
                problem = asked.pop(id(request))
                judging.append(judges.submit(_judged, problem, wanted[problem.uid], completions))
                # With no more than the first of its next batch in hand, the engine is about to be
                # long at work: what it has answered is told before, for it to be written.
                idle = len(asked) <= 1
                while judging and (idle or judging[0].done() or len(judging) > _MOST_UNJUDGED):
                    yield judging.popleft().result()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  what is answered is kept
            failure = error
        for future in judging:
            yield future.result()
        if failure:
            raise failure


def _judged(problem: Problem, samples: range, completions: Sequence[Completion]) -> Rows:
    rows: Rows = []
    checker = problem.checker.fingerprint()
    for sample, completion in zip(samples, completions, strict=True):
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
                checker,
            )
        )
    return rows


Generate = Callable[[Sequence[Problem], dict[str, range]], Iterator[Rows]]


def _play(
    problems: Sequence[Problem],
    known: Known,
    plan: SamplingPlan,
    edges: Sequence[float],
    generate: Generate | None,
    progress: Progress | None,
) -> list[PassRate]:
    """Play every block to its end, or without `generate` as far as what is known goes."""
    by_uid = {problem.uid: problem for problem in problems}
    order = [by_uid[uid] for uid in sorted(by_uid)]
    rates: dict[str, PassRate] = {}
    finished = 0
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        tell = partial(_tell, progress, finished, (len(order) - start) / len(block))
        drawn = _play_block(block, known, plan, edges, generate, tell)
        finished += sum(drawn)
        for problem, count in zip(block, drawn, strict=True):
            verdicts = known.get(problem.uid, [])[:count]
            rates[problem.uid] = count_verdicts(problem.uid, problem.domain, verdicts)
    return [rates[problem.uid] for problem in problems]


def _play_block(
    block: Sequence[Problem],
    known: Known,
    plan: SamplingPlan,
    edges: Sequence[float],
    generate: Generate | None,
    tell: Callable[[int, float], None],
) -> list[int]:
    """Round by round until the plan wants no more; returns each problem's completions.

    `known` grows with what is generated.
    """
    sampler = plan.start([problem.domain for problem in block], edges)
    tally = Tally.nothing(len(block))
    while (wanted := sampler.wanted(tally)).any():
        expected = int(tally.drawn.sum()) + sampler.expected(tally)
        ends = tally.drawn + wanted
        stored = np.array([len(known.get(problem.uid, ())) for problem in block])
        done = int(np.minimum(stored, ends).sum())
        tell(done, expected)
        missing = np.flatnonzero(stored < ends).tolist()
        if missing and generate is None:
            return [int(count) for count in np.minimum(stored, ends)]
        # Prompts of one source open alike: side by side they share the start of their prefill.
        members = sorted((block[i] for i in missing), key=lambda problem: problem.source)
        ranges = {block[i].uid: range(stored[i], ends[i]) for i in missing}
        for rows in generate(members, ranges) if generate and missing else ():
            for row in rows:
                known.setdefault(row.uid, []).append(row.status)
            done += len(rows)
            tell(done, expected)
        tally = _count_on(tally, ends, block, known)
    return [int(count) for count in tally.drawn]


def _tell(
    progress: Progress | None, finished: int, blocks_left: float, done: int, expected: float
) -> None:
    """Progress over all blocks; those to come are expected to be like the one in work."""
    if progress:
        progress(finished + done, finished + round(expected * blocks_left))


def _count_on(tally: Tally, ends: Ints, block: Sequence[Problem], known: Known) -> Tally:
    """The tally after the completions up to `ends`."""
    graded, correct = tally.graded.copy(), tally.correct.copy()
    for i in np.flatnonzero(ends > tally.drawn).tolist():
        new = known[block[i].uid][tally.drawn[i] : ends[i]]
        graded[i] += len(new) - new.count("verifier_error")
        correct[i] += new.count("correct")
    return Tally(ends, graded, correct)
