"""benchmarks/curricula_real.py from end to end, and going on where it stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.soak
def test_quick_run_and_the_same_again(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/curricula_real.py", "--quick", "--out", str(tmp_path)]
    first, second = (
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=900)
        for _ in range(2)
    )
    told = json.loads(first.stdout.splitlines()[-1])
    assert set(told["families"]) == {"mixed, drawn anew", "mopps", "vcrl"}
    for row in told["families"].values():
        assert 0 < row["ratio"] <= told["cap"]
        assert row["simulated"]["n"] == row["n"] == 1
    assert -1 <= told["spearman_simulator"]["value"] <= 1
    assert json.loads(second.stdout.splitlines()[-1]) == told
    assert "training" in first.stdout
    assert "training" not in second.stdout
