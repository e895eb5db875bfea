"""A checkpoint that the disk has no room for leaves the one before, and nothing half written."""

import resource
from pathlib import Path

import pytest

from difficulty.faults import foreseen
from runners.local.checkpoint import load_checkpoint, save_checkpoint


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    import torch

    save_checkpoint(tmp_path, 5, {"x": torch.ones(3)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(RuntimeError) as caught:
            save_checkpoint(tmp_path, 10, {"x": torch.ones(1 << 20)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    fault = foreseen(caught.value)
    assert fault is not None
    assert fault.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["step-000005.pt"]
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found[0] == 5
    assert found[1]["x"].tolist() == [1, 1, 1]
