"""Every curriculum under configs/ is checked and planned with a learner, as the commands would."""

from pathlib import Path

import pytest

from runners.config import load_config
from runners.files import read_lines
from runners.planning.plan import plan_simulated
from runners.stages import check_only

FOLDER = Path(__file__).parents[2] / "configs" / "curricula"
RATES = "{kind: label, label: level, scale: -0.2, offset: 1.1, samples: 8, model: guess}"


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_it_is_valid_and_can_be_planned(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["trainer.prompts_per_step=4", "problems.0.size=10", f"difficulty.imported={RATES}"]
    config = load_config(path, asked)
    if not config.trainer.segments:  # which are about the file's own steps
        config = load_config(path, [*asked, "trainer.steps=8"])
    check_only(config)
    picture = plan_simulated(config, seeds=1)
    assert picture.stat().st_size > 10_000
    rows = read_lines(picture.with_name("plan-simulated.jsonl"))
    assert [row["step"] for row in rows] == [*range(1, config.trainer.steps + 1)]
    assert all(0 <= share <= 1 for row in rows for share in row["domains"].values())
