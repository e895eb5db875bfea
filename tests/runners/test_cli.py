"""The command as a user meets it: help, errors, exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

VERBS = (
    "run",
    "score",
    "export",
    "prepare",
    "predict",
    "irt",
    "drift",
    "plan",
    "watch",
    "eval",
    "transfer",
    "report",
    "check",
    "doctor",
)


def curricle(
    folder: Path, *words: str, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "runners.cli", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment,
    )


def write_config(folder: Path, **changes: Any) -> Path:
    config: dict[str, Any] = {
        "name": "x",
        "model": str(folder / "model"),
        "problems": [{"kind": "tiny", "families": ["math"], "size": 12}],
        "evaluation": {"holdout": 0.3},
    }
    path = folder / "c.yaml"
    path.write_text(yaml.safe_dump({**config, **changes}))
    return path


def test_help_answers_without_the_heavy_libraries() -> None:
    code = (
        "import sys, runners.cli, runners.config;"
        "heavy = {'torch', 'vllm', 'verl', 'ray', 'wandb', 'optuna', 'transformers', 'datasets',"
        " 'sympy', 'matplotlib', 'sklearn', 'reasoning_gym', 'pandas', 'scipy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_names_every_verb_and_each_verb_shows_an_example(tmp_path: Path) -> None:
    start = time.perf_counter()
    text = curricle(tmp_path, "--help").stdout
    assert time.perf_counter() - start < 5  # answers at once, even on a busy machine
    assert all(verb in text for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example(verb: str) -> None:
    from typer.main import get_command

    from runners.cli import app

    command = get_command(app).commands[verb]  # type: ignore[attr-defined]
    assert f"Example: `curricle {verb}" in (command.help or "")


@pytest.mark.parametrize(
    ("changes", "place", "rule"),
    [
        ({"trainr": {}}, "c.yaml: trainr", "did you mean 'trainer'"),
        (
            {"trainer": {"kind": "local", "steps": "many"}},
            "c.yaml: trainer.steps",
            "valid integer",
        ),
        ({"evaluation": {"samples": 2, "k": [4]}}, "c.yaml: evaluation", "undefined for k > n"),
        (
            {"problems": [{"kind": "file", "path": "gone.jsonl", "domain": "math",
                           "fields": {"prompt": "q", "answer": "a"}, "checker": {"kind": "math"}}]},
            "gone.jsonl",
            "must be an existing file",
        ),
        (
            {"problems": [{"kind": "file", "path": "empty.jsonl", "domain": "math",
                           "fields": {"prompt": "q", "answer": "a"}, "checker": {"kind": "math"}}]},
            "empty.jsonl",
            "at least one row",
        ),
        (
            {"problems": [{"kind": "file", "path": "rows.parquet", "domain": "math",
                           "fields": {"prompt": "question", "answer": "solution"},
                           "checker": {"kind": "math"}}]},
            "rows.parquet",
            "solution",
        ),
        (
            {"trainer": {"kind": "verl", "overrides": {"trainer.nnode": 1}}},
            "trainer.overrides",
            "the nearest is 'trainer.nnodes'",
        ),
        (
            {"model": "Qwen/Qwen2.5-3B", "trainer": {"kind": "verl", "preset": "8gpu"}},
            "trainer.preset",
            "must run on a machine with a GPU",
        ),
        (
            {"curriculum": {"kind": "mixed", "where": {"bucket": "esy"}},
             "trainer": {"kind": "verl"}},
            "curriculum.where.bucket",
            "did you mean 'easy'",
        ),
        ({}, "model", "must be a Hugging Face model folder"),
        ({"trainer": {"kind": "verl"}}, "model", "must be a Hugging Face model folder"),
        ({"evaluation": {"holdout": 0.0}}, "evaluation", "at least one problem"),
    ],
    ids=["unknown key", "wrong type", "k > n", "missing file", "empty dataset", "missing column",
         "misspelled override", "no GPU", "unknown bucket", "no model", "no model for verl",
         "nothing to evaluate"],
)  # fmt: skip
def test_a_mistake_is_one_message_with_place_and_rule_and_exit_code_2(
    tmp_path: Path, changes: dict[str, Any], place: str, rule: str
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "empty.jsonl").write_text("")
    pq.write_table(pa.table({"question": ["1+1?"], "answer": ["2"]}), tmp_path / "rows.parquet")
    write_config(tmp_path, **changes)
    no_gpu = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = curricle(tmp_path, "run", "c.yaml", environment=no_gpu)
    assert done.returncode == 2, done.stderr
    assert place in done.stderr
    assert rule in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_of_another_model_is_refused_and_kept(tmp_path: Path) -> None:
    scripted = {"kind": "scripted", "otherwise": [":1"]}
    model = tmp_path / "model"
    for folder in (model, tmp_path / "other"):
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"of": folder.name}))
        (folder / "model.safetensors").write_bytes(folder.name.encode())
    difficulty = {"engine": scripted, "samples": 2, "store": str(tmp_path / "scores")}
    write_config(tmp_path, difficulty=difficulty)
    assert curricle(tmp_path, "score", "c.yaml").returncode == 0
    stored = {p.name: p.read_bytes() for p in (tmp_path / "scores").iterdir()}
    done = curricle(tmp_path, "score", "c.yaml", f"model={tmp_path / 'other'}")
    assert done.returncode == 2
    assert "model: stored model, asked other" in done.stderr
    assert {p.name: p.read_bytes() for p in (tmp_path / "scores").iterdir()} == stored


def test_check_says_what_a_run_would_do(tmp_path: Path) -> None:
    write_config(tmp_path)
    done = curricle(tmp_path, "check", "c.yaml", "trainer.steps=7")
    assert done.returncode == 0, done.stderr
    assert "7 steps of 16 prompts x 8 samples" in done.stdout
    assert not (tmp_path / "runs").exists()


def test_doctor_says_what_runs_here(tmp_path: Path) -> None:
    done = curricle(tmp_path, "doctor")
    assert done.returncode == 0, done.stdout
    assert "engine transformers" in done.stdout


WAITING = (
    "import time; from runners import cli\n"
    "cli.app.command('wait')(lambda: (print('up', flush=True), time.sleep(60)))\n"
    "cli.main()"
)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stopped_command_says_how_to_go_on(number: int, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, "wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == code
    assert said.endswith("curricle: stopped; the same command goes on from what is finished\n")
    assert "Traceback" not in said


FULL = (
    "from runners import cli\n"
    "cli.app.command('fill')(lambda: print('x', file=open('/dev/full', 'w'), flush=True))\n"
    "cli.main()"
)


def test_a_full_disk_is_one_message_and_exit_code_2() -> None:
    command = [sys.executable, "-c", FULL, "fill"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("curricle: the disk is full: free some space; the same command")
    assert "Traceback" not in done.stderr
