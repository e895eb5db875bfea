"""The `curricle` command: its verbs (`commands/`), and how each of them ends.

A user's mistake or a foreseen fault (`difficulty/faults.py`) ends with one message and exit code 2
or 1; CURRICLE_TRACEBACK=1 shows where it arose. Every verb can be run again: what is finished is
not done twice.
"""

from __future__ import annotations

import os
import signal
import sys

from difficulty.faults import GO_ON, foreseen
from runners.commands import app

_INTERRUPTED = 130
"""The exit code that typer makes of Ctrl-C."""
_TERMINATED = 143
"""The exit code of a command that was ended by SIGTERM, as Slurm and `kill` do."""


def main() -> None:
    """Entry point: a user's mistake is one message and exit code 2, a foreseen fault 1 or 2."""
    terminated = _unwind_on_sigterm()
    try:
        app()
    except Exception as error:
        fault = foreseen(error)
        if os.environ.get("CURRICLE_TRACEBACK") or not (fault or isinstance(error, ValueError)):
            raise
        print(f"curricle: {fault or error}", file=sys.stderr)
        raise SystemExit(fault.exit_code if fault else 2) from None
    except SystemExit as end:
        if end.code != _INTERRUPTED:
            raise
        print(f"curricle: stopped; {GO_ON}", file=sys.stderr)
        raise SystemExit(_TERMINATED if terminated else _INTERRUPTED) from None


def _unwind_on_sigterm() -> list[int]:
    """Have SIGTERM end this process as Ctrl-C does, tidily; the list says whether it has come."""
    terminated: list[int] = []
    own = os.getpid()

    def unwind(number: int, _: object) -> None:
        if os.getpid() != own:  # a forked child has nothing of ours to tidy
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        terminated.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, unwind)
    return terminated


if __name__ == "__main__":
    main()
