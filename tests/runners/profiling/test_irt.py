import json
from pathlib import Path

import numpy as np
import pytest

from runners.profiling.irt import fit_files


def write_model(path: Path, shift: float, model: str | None = None) -> Path:
    generator = np.random.default_rng(0)
    rates = 1 / (1 + np.exp(generator.normal(0, 1, 60) - shift))
    rows = [{"id": f"p{i}", "correct": round(8 * r), "n": 8} for i, r in enumerate(rates)]
    extra = {"model": model} if model else {}
    path.write_text("".join(json.dumps({**row, **extra}) + "\n" for row in rows))
    return path


def test_files_of_models_become_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weak = write_model(tmp_path / "weak.jsonl", -1)
    strong = write_model(tmp_path / "other.jsonl", 1, "strong")
    fit = fit_files([weak, strong], "1pl", tmp_path / "labels.jsonl")
    assert fit.models == ("strong", "weak")
    assert fit.ability[0] - fit.ability[1] == pytest.approx(2, abs=0.5)
    rows = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert len(rows) == 60
    assert {"irt_difficulty", "irt_difficulty_se"} == set(rows[0]["labels"])
    assert "strong" in capsys.readouterr().out


def test_an_unknown_kind_and_a_row_without_id_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="3pl"):
        fit_files([write_model(tmp_path / "weak.jsonl", 0)], "3pl", None)
    nameless = tmp_path / "x.jsonl"
    nameless.write_text('{"correct": 1, "n": 2}\n')
    with pytest.raises(ValueError, match="line 1: id must say"):
        fit_files([nameless], "1pl", None)


def test_columns_of_rates_are_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guru's two columns; an empty one is missing, and zeros are pointed out."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1, 80)
    weak, strong = (np.round(16 / (1 + np.exp(-logits - shift))) / 16 for shift in (-1, 1))
    path = tmp_path / "guru.jsonl"
    rows = [
        {"id": i, "weak_pass_rate": w, "strong_pass_rate": s if i else None}
        for i, (w, s) in enumerate(zip(weak, strong, strict=True))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    fit = fit_files([path], "1pl", None)
    assert fit.models == ("strong", "weak")
    assert fit.completions.tolist() == [79 * 16, 80 * 16]
    assert fit.ability[0] - fit.ability[1] == pytest.approx(2, abs=0.4)
    assert ("not measured" in capsys.readouterr().err) == bool((weak == 0).any())
