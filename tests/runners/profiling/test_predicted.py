"""A share is scored, the rest is predicted, and every problem knows which it was."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from difficulty.pass_rate import PassRate
from difficulty.settings import PredictRest
from domains.problem import Problem
from domains.sources.procedural import Procedural
from runners.config import RunConfig, load_config
from runners.files import read_json
from runners.profiling.predicted import score_share
from runners.run_dir import open_run

PROBLEMS = Procedural(dataset="chain_sum", settings={"max_terms": 6}, limit=200).load()


def config_in(folder: Path, **changes: object) -> RunConfig:
    path = folder / "c.yaml"
    settings = {"name": "x", "out": str(folder), "problems": ["rg:chain_sum"], **changes}
    path.write_text(yaml.safe_dump(settings))
    return load_config(path)


def measure(asked: Sequence[Problem]) -> list[PassRate]:
    """Long sums are hard: 8 of 8 solved with two terms, none with six."""
    solved = [max(0, 8 - 2 * (p.prompt.count("+") + p.prompt.count(" - ") - 1)) for p in asked]
    return [
        PassRate(p.uid, p.domain, k, 8 - k, 0, 0, 0) for p, k in zip(asked, solved, strict=True)
    ]


def test_a_share_is_scored_and_the_rest_predicted(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    asked: list[str] = []

    def counted(problems: Sequence[Problem]) -> list[PassRate]:
        asked.extend(problem.uid for problem in problems)
        return measure(problems)

    folder = open_run(config)
    scored = score_share(PROBLEMS, PredictRest(share=0.4), counted, config, folder)
    assert len(asked) == len(set(asked)) == 80
    assert {uid for uid, rate in scored.rates.items() if rate.n > 0} == set(asked)
    assert len(scored.posteriors) == len(scored.buckets) == 200
    rows = {p.uid: scored.pool_row(p) for p in PROBLEMS}
    assert sum(row.get("predicted", False) for row in rows.values()) == 120
    truth = {rate.uid: rate.correct / rate.n for rate in measure(PROBLEMS)}
    predicted = [uid for uid, row in rows.items() if row.get("predicted")]
    easy = [rows[uid]["pass_rate"] for uid in predicted if truth[uid] > 0.7]
    hard = [rows[uid]["pass_rate"] for uid in predicted if truth[uid] < 0.3]
    assert sum(easy) / len(easy) > sum(hard) / len(hard) + 0.3
    assert read_json(folder.summary)["prediction"]["predicted"] == 120
    again = score_share(PROBLEMS, PredictRest(share=0.4), measure, config, folder)
    assert again.buckets == scored.buckets


@pytest.mark.parametrize(
    ("difficulty", "buckets", "message"),
    [
        ({"predict": {"share": 0}}, {"kind": "edges"}, "greater than 0"),
        (
            {"samples": 8, "predict": {"share": 0.1}},
            {"kind": "counts", "counts": {"all": [8, 8]}},
            "must not be of kind counts with difficulty.predict",
        ),
    ],
)
def test_what_cannot_be_predicted_is_said_at_once(
    tmp_path: Path, difficulty: object, buckets: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        config_in(tmp_path, difficulty=difficulty, buckets=buckets)
