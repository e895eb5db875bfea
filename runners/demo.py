"""`make demo`: the main job and a transfer search on the embedded model, start to page.

    python -m runners.demo

Runs configs/quickstart.yaml and configs/transfer/tiny.yaml. What is finished is not done again, so
the second call shows the pages at once.
"""

import time
from pathlib import Path

from runners.config import load_config
from runners.console import console
from runners.run import run
from runners.transfer.search import search_transfer

CONFIGS = Path(__file__).parents[1] / "configs"


def main() -> None:
    start = time.perf_counter()
    console.rule("[bold]1 of 2  the main job: score, bucket, train, evaluate")
    page = run(load_config(CONFIGS / "quickstart.yaml"))
    console.rule("[bold]2 of 2  how few graph problems are enough?")
    search = search_transfer(load_config(CONFIGS / "transfer" / "tiny.yaml"))
    console.print(f"\ndone in {time.perf_counter() - start:.0f} seconds")
    console.print(f"report:          [bold]{page.resolve()}[/bold]", soft_wrap=True)
    console.print(f"transfer report: [bold]{search.resolve()}[/bold]", soft_wrap=True)


if __name__ == "__main__":
    main()
