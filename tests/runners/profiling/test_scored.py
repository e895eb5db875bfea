from difficulty.pass_rate import PassRate
from difficulty.prompts import Prompter
from domains.sources.tiny_families import TinyFamilies
from runners.config import RunConfig, validate
from runners.problem_set import ProblemSet
from runners.profiling.scored import Scored


def make_config(**words: object) -> RunConfig:
    return validate({"name": "x", "problems": [{"kind": "tiny"}], **words}, "here")


def make_scored(rates: list[PassRate], config: RunConfig) -> Scored:
    return Scored.of(rates, config)


def test_the_expected_share_of_wrong_buckets_falls_with_n() -> None:
    config = make_config()
    few, many = (
        make_scored([PassRate(str(i), "math", i * k, (10 - i) * k, 0, 0, 0) for i in range(11)],
                    config).placed.misplaced()
        for k in (1, 100)
    )  # fmt: skip
    assert few is not None
    assert many is not None
    # At n = 1000, the rates .2, .4, .6 and .8 lie on an edge and are right half the time: the
    # other seven are sure, so about 4/11 * 1/2.
    assert abs(many - 2 / 11) < 0.03
    assert many < few


def test_without_a_rate_nothing_is_promised() -> None:
    assert make_scored([], make_config()).placed.misplaced() is None


def test_what_a_filter_leaves_out_is_no_part_of_the_pool() -> None:
    problems = TinyFamilies(families=("math",), levels=(2,), size=4).load()
    rates = [PassRate(p.uid, "math", i, 3 - i, 0, 0, 0) for i, p in enumerate(problems[:3])]
    config = make_config(buckets={"kind": "edges", "drop": {"never_solved": True}})
    scored = make_scored(rates, config)
    pool = scored.pool(ProblemSet(problems, [], Prompter(config.prompt, {})))
    assert [item.uid for item in pool] == [p.uid for p in problems[1:]], "unscored ones stay"
    assert pool[-1].bucket is None


def test_a_pool_row_has_both_rates_and_the_counts_apart() -> None:
    [problem, *_] = TinyFamilies(families=("math",), levels=(2,), size=4).load()
    rate = PassRate(problem.uid, "math", correct=2, wrong=1, no_answer=1, truncated=4,
                    verifier_errors=3)  # fmt: skip
    row = make_scored([rate], make_config()).pool_row(problem)
    assert (row["n"], row["correct"], row["truncated"], row["verifier_errors"]) == (8, 2, 4, 3)
    assert row["rate_among_finished"] == 2 / 4
    assert row["pass_rate"] < 0.5
    assert row["low"] <= row["pass_rate"] <= row["high"]
