import os
import signal
import subprocess
import sys
from pathlib import Path

from difficulty.store.claims import Claims

HOLD = """
import sys, time
from pathlib import Path
from difficulty.store.claims import Claims
claims = Claims(Path(sys.argv[1]))
print(claims.take("a"), flush=True)
time.sleep(60)
"""


def test_a_problem_belongs_to_one_writer_until_he_lets_go(tmp_path: Path) -> None:
    one, two = Claims(tmp_path), Claims(tmp_path)
    assert one.take("a")
    assert not two.take("a")
    assert two.take("b")
    one.release("a")
    assert two.take("a")


def test_a_killed_writer_lets_go(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline() == "True\n"
    claims = Claims(tmp_path)
    assert not claims.take("a")
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    assert claims.take("a")


def test_the_whole_store_is_claimed_apart_from_its_problems(tmp_path: Path) -> None:
    one, two = Claims(tmp_path), Claims(tmp_path)
    with one.whole_store():
        assert two.take("a")
    with two.whole_store():
        assert not one.take("a")
