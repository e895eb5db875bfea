"""Kills at random moments: nothing is left running, and the end equals that of no kill at all.

    python benchmarks/kill.py scoring [--kills 30] [--quick] [--seed 0]
    python benchmarks/kill.py runs [--kills 20] [--quick] [--seed 0]

`scoring` kills `curricle score` (`kill_scoring.py`), `runs` kills `curricle run` with both trainers
(`kill_runs.py`). The peer of each is the same command without a kill. The last line is one JSON
object, whose figures those files explain.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import tempfile
from pathlib import Path

from kill_runs import runs
from kill_scoring import scoring

KILLS = {"scoring": 30, "runs": 20}
QUICK = {"scoring": 2, "runs": 3}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["scoring", "runs"])
    parser.add_argument("--kills", type=int)
    parser.add_argument("--quick", action="store_true", help="few kills; the local trainer only")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    words = parser.parse_args()
    # a command started in the background ignores Ctrl-C, and so would its children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    kills = words.kills or (QUICK if words.quick else KILLS)[words.what]
    rng = random.Random(words.seed)
    with tempfile.TemporaryDirectory() as folder:
        if words.what == "scoring":
            found = scoring(Path(folder), kills, rng)
        else:
            found = runs(Path(folder), kills, rng, with_verl=not words.quick)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
