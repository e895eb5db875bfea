"""rollouts.jsonl: one line a completion, bounded, and forgotten with the steps it belongs to."""

from pathlib import Path

from curricula.base import Batch, Outcome
from runners.files import read_lines
from runners.tracking.rollout_records import evenly_spaced, rollout_rows
from runners.tracking.trackers import RolloutSettings
from runners.tracking.training_log import TrainingLog

OUTCOMES = [
    Outcome(
        "a", (1.0, 0.0), ("correct", "wrong"), (0.5, -0.5), (3, 4),
        components={"credit": (1.0, 0.25)},
    ),
    Outcome("b", (0.0, 0.0)),
]  # fmt: skip
BUCKETS = {"a": "easy", "b": None}


def lines(settings: RolloutSettings, step: int = 2) -> list[dict[str, object]]:
    texts = [["abcdef", "xy"], ["", ""]]
    return rollout_rows(
        settings, Batch(step, "s", ()), OUTCOMES, [(1,), ()], lambda uid: "math", BUCKETS, texts
    )


def test_a_completion_is_one_line_with_all_that_is_known_of_it() -> None:
    found = lines(RolloutSettings(characters=3))
    assert found[1] == {
        "step": 2, "stage": "s", "uid": "a", "domain": "math", "bucket": "easy", "group": 0,
        "sample": 1, "reward": 0.0, "status": "wrong", "components": {"credit": 0.25}, "tokens": 4,
        "advantage": -0.5, "trained": True, "text": "xy",
    }  # fmt: skip
    assert [row["text"] for row in found] == ["abc", "xy", "", ""]
    unknown = {name: found[2][name] for name in ("bucket", "status", "tokens", "advantage")}
    assert unknown == dict.fromkeys(unknown)
    assert [row["trained"] for row in found] == [False, True, False, False]
    assert "text" not in lines(RolloutSettings())[0]


def test_what_is_recorded_is_bounded() -> None:
    assert lines(RolloutSettings(every=0)) == []
    assert lines(RolloutSettings(every=3)) == []
    assert {row["step"] for row in lines(RolloutSettings(every=3), step=6)} == {6}
    assert [row["uid"] for row in lines(RolloutSettings(prompts=1))] == ["a", "a"]
    assert evenly_spaced(10, 4) == [0, 2, 5, 7]
    assert evenly_spaced(3, 64) == [0, 1, 2]
    assert evenly_spaced(0, 4) == []


def test_a_resumed_training_forgets_the_completions_it_does_again(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path)
    for step in (1, 2, 3):
        log.write({"step": step}, {"step": step}, lines(RolloutSettings(), step))
    with log.rollouts.open("a") as file:
        file.write('{"step": 4, "uid"')  # killed while it wrote
    log.go_back_to(2)
    assert [row["step"] for row in read_lines(log.rollouts)] == [1] * 4 + [2] * 4
    assert [row["step"] for row in read_lines(log.metrics)] == [1, 2]
