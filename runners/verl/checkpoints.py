"""verl's checkpoints in the run's folder: whole or not at all.

verl writes `global_step_N/` in place, drops the one before as soon as the actor's part is written,
and empties `latest_checkpointed_iteration.txt` before it fills it again. Killed, or out of disk, in
between, it would leave nothing to resume. So it writes into `unfinished/`, and what is finished is
synced, renamed, named in the tracker (itself written beside and renamed), and only then are older
ones removed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from difficulty.store.durable import sync, write_durably

TRACKER = "latest_checkpointed_iteration.txt"
"""Where verl looks for the step to resume."""
UNFINISHED = "unfinished"


def last_step(checkpoints: Path) -> int:
    """The step of the newest complete checkpoint; 0 before the first."""
    tracker = checkpoints / TRACKER
    return int(tracker.read_text()) if tracker.is_file() else 0


def fresh(checkpoints: Path) -> Path:
    """An empty folder for verl to write the next checkpoint into."""
    folder = checkpoints / UNFINISHED
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def finish(checkpoints: Path, step: int, keep: int | None = 1) -> None:
    """Put the checkpoint in `unfinished/` in place, as the one to resume; keep so many of them."""
    name = f"global_step_{step}"
    written, place = checkpoints / UNFINISHED / name, checkpoints / name
    for path in written.rglob("*"):
        sync(path)
    shutil.rmtree(place, ignore_errors=True)  # put there, and not named before the run was killed
    written.replace(place)
    write_durably(checkpoints / TRACKER, str(step).encode())
    shutil.rmtree(checkpoints / UNFINISHED)
    steps = sorted(int(path.name.split("_")[-1]) for path in checkpoints.glob("global_step_*"))
    for older in steps[: -(keep or len(steps))]:
        shutil.rmtree(checkpoints / f"global_step_{older}")
