from pathlib import Path

import pytest

from difficulty.buckets import Quantiles
from difficulty.export import ScoredPool
from difficulty.pass_rate import PassRate, posteriors
from domains.sources.tiny_families import TinyFamilies
from runners.profiling.bucket_picture import draw_buckets


@pytest.mark.slow
def test_the_picture_names_every_bucket_and_domain_and_counts(tmp_path: Path) -> None:
    problems = TinyFamilies(families=("math", "logic"), levels=(2,), size=6).load()
    rates = [
        PassRate(p.uid, p.domain, i % 9, 8 - i % 9, 0, 0, 0) for i, p in enumerate(problems[:-1])
    ]
    found = posteriors(rates)
    pool = ScoredPool({r.uid: r for r in rates}, found, Quantiles(parts=3).place(rates, found))
    assert draw_buckets(pool, problems, tmp_path / "b.png").read_bytes()[:4] == b"\x89PNG"
    svg = draw_buckets(pool, problems, tmp_path / "b.svg").read_text()
    assert svg == draw_buckets(pool, problems, tmp_path / "b.svg").read_text()
    for words in ("q1", "q3", "math", "logic", "expected", f"problems (of {len(rates)})"):
        assert f"<!-- {words} -->" in svg
    nothing = ScoredPool({}, {}, Quantiles(parts=3).place([], {}))
    assert draw_buckets(nothing, problems, tmp_path / "c.png").is_file()
