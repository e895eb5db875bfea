"""Room for checkpoints is asked for before any long work; figures worked out by hand."""

import json
from pathlib import Path

import pytest

from runners.disk_room import check_room, count_parameters
from runners.local import LocalTrainer
from runners.run_dir import RunDir
from runners.sft import RejectionSFT
from runners.simulated.trainer import SimulatedTrainer
from runners.trainers import AnyTrainer
from runners.verl.trainer import VerlTrainer

MILLION = 10**6


def write_model(folder: Path, *shapes: list[int]) -> Path:
    """A model whose weights are named and never written."""
    folder.mkdir()
    tensors = {f"w{i}": {"dtype": "F32", "shape": s} for i, s in enumerate(shapes)}
    header = json.dumps({"__metadata__": {"format": "pt"}, **tensors}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    return folder


def test_parameters_are_counted_from_the_header(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m", [3, 4], [5], [])
    assert count_parameters(model) == 12 + 5 + 1
    assert count_parameters(tmp_path) == 0


def test_a_checkpoint_holds_weights_and_moments_of_what_is_trained() -> None:
    full, adapters = (10 * MILLION, 10 * MILLION), (10 * MILLION, MILLION)
    assert LocalTrainer().checkpoint_bytes(*full) == 120 * MILLION
    assert LocalTrainer(lora_rank=8).checkpoint_bytes(*adapters) == 12 * MILLION
    assert VerlTrainer().checkpoint_bytes(*full) == 120 * MILLION
    assert VerlTrainer(lora_rank=8).checkpoint_bytes(*adapters) == 48 * MILLION


@pytest.mark.parametrize(
    ("trainer", "sft", "bytes_a_parameter"),
    [
        # two checkpoints of 12 bytes, or one and the model of 4
        (LocalTrainer(), None, 24),
        (LocalTrainer(steps=10), None, 16),
        # the critic's checkpoint as well
        (LocalTrainer(algorithm="ppo"), None, 48),
        # SFT leaves 16 behind
        (LocalTrainer(), RejectionSFT(), 40),
        (LocalTrainer(), RejectionSFT(share=0), 24),
        # and needs 24 itself, where nothing is trained afterwards
        (SimulatedTrainer(), RejectionSFT(), 24),
    ],
)
def test_a_run_that_the_disk_cannot_hold_is_refused(
    trainer: AnyTrainer, sft: RejectionSFT | None, bytes_a_parameter: int, tmp_path: Path
) -> None:
    model = write_model(tmp_path / "m", [10**8, 10**8])
    folder = RunDir(tmp_path / "not" / "there" / "yet")
    needed = rf"about {bytes_a_parameter}0,000,000 GB for 10,000,000,000M parameters"
    with pytest.raises(ValueError, match=needed):
        check_room(trainer, model, folder, sft)
    assert not folder.root.exists()


def test_what_fits_is_let_through(tmp_path: Path) -> None:
    check_room(LocalTrainer(), write_model(tmp_path / "m", [100, 100]), RunDir(tmp_path))


def test_a_training_without_checkpoints_needs_no_room(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m", [10**8, 10**8])
    check_room(SimulatedTrainer(), model, RunDir(tmp_path))
