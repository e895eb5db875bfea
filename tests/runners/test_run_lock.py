"""Two trainings never write into one folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from runners.run_lock import alone_in

HOLDER = (
    "import sys, time; from pathlib import Path; from runners.run_lock import alone_in\n"
    "with alone_in(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
)


def test_a_folder_is_one_process_s_until_that_dies(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match="another one is training in"), alone_in(tmp_path):
            pass
        holder.kill()
        holder.wait()
    for _ in range(2):
        with alone_in(tmp_path):
            pass
