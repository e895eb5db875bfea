"""Room for checkpoints is asked for before any long work; figures worked out by hand."""

import json
from pathlib import Path

import pytest

from runners.disk_room import check_room, count_parameters
from runners.local import LocalTrainer
from runners.simulated.trainer import SimulatedTrainer
from runners.verl import VerlTrainer

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
    assert LocalTrainer(algorithm="ppo").checkpoint_bytes(*full) == 240 * MILLION
    assert LocalTrainer(lora_rank=8).checkpoint_bytes(*adapters) == 12 * MILLION
    assert VerlTrainer().checkpoint_bytes(*full) == 120 * MILLION
    assert VerlTrainer(lora_rank=8).checkpoint_bytes(*adapters) == 48 * MILLION


def test_a_training_that_the_disk_cannot_hold_is_refused(tmp_path: Path) -> None:
    # two checkpoints of 12 bytes a parameter: 2.4e17 bytes
    model = write_model(tmp_path / "m", [10**8, 10**8])
    folder = tmp_path / "not" / "there" / "yet"
    with pytest.raises(ValueError, match=r"about 240,000,000 GB for 10,000,000,000M parameters"):
        check_room(LocalTrainer(), model, folder)
    check_room(SimulatedTrainer(), model, folder)
    assert not folder.exists()


def test_what_fits_is_let_through(tmp_path: Path) -> None:
    check_room(LocalTrainer(), write_model(tmp_path / "m", [100, 100]), tmp_path)
