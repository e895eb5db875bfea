"""The curriculum alone: a pool out of anybody's verl rows; a real run from an own launch script."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runners.trainer import TrainingJob
from runners.verl.own_launch import job_of, pool_of
from runners.verl.trainer import VerlTrainer

RowReader = Callable[[Path], list[dict[str, Any]]]


def row(**info: Any) -> dict[str, Any]:
    return {"data_source": "sums", "ability": "math", "extra_info": info}


def test_a_row_is_an_item_with_labels() -> None:
    bare, full = pool_of(
        [
            {"data_source": "gsm8k"},
            row(uid="u", bucket="easy", pass_rate=0.75, level=3, split=None, labels='{"tag": "x"}'),
        ]
    )
    assert (bare.uid, bare.domain, bare.source, bare.bucket) == ("row-0", "gsm8k", "gsm8k", None)
    assert (full.uid, full.domain, full.bucket, full.pass_rate) == ("u", "math", "easy", 0.75)
    assert full.labels == {"level": 3, "tag": "x"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(uid="u"), row(uid="u")], r"uid must be unique .* 'u'"),
        ([row(pass_rate=7)], r"pass_rate of row 0 must be in \[0, 1\], but got 7"),
    ],
)
def test_rows_that_make_no_pool_are_refused(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pool_of(rows)


def test_the_curriculum_stands_in_verls_configuration() -> None:
    from omegaconf import OmegaConf

    config = OmegaConf.create(
        {
            "data": {"train_batch_size": 2, "seed": None},
            "trainer": {"default_local_dir": "out"},
            "curricle": {"curriculum": {"kind": "sequential"}},
        }
    )
    job = job_of(config, [row(uid="b"), row(uid="a"), row(uid="c")], 5)
    assert (job.steps, job.prompts_per_step, job.seed) == (5, 2, 0)
    assert job.training_folder == Path("out").absolute()
    assert job.evaluations_file is None
    batch = job.build_curriculum().next_batch(2)
    assert batch is not None
    assert batch.uids == ("b", "a")
    config.curricle.curriculum.kind = "sequentiell"
    with pytest.raises(ValueError, match="the curriculum must be one of ours"):
        job_of(config, [row()], 1).build_curriculum()


REWARD = """
def compute_score(data_source, solution_str, ground_truth, extra_info, **_):
    return float(solution_str.strip() == ground_truth)
"""


@pytest.mark.slow
def test_an_own_launch_script_takes_over_the_curriculum_alone(
    make_job: Callable[..., TrainingJob],
    make_trainer: Callable[..., VerlTrainer],
    rows: RowReader,
    tmp_path: Path,
) -> None:
    from omegaconf import OmegaConf

    from runners.verl.arguments import configuration
    from runners.verl.machine import decided

    job, trainer = make_job(), make_trainer()
    job.folder.mkdir(parents=True)
    leg = trainer.legs(4)[0]
    (tmp_path / "reward.py").write_text(REWARD)
    with decided(trainer, job, leg) as machine:
        config = configuration(trainer, job, machine, trainer.write_files(job), {}, leg)
        # nothing of ours but the plug-in and one setting: the reward and the checkpoints are theirs
        config.curricle = {"curriculum": {"kind": "sequential"}}
        config.reward.reward_manager = {"source": "register", "name": "naive"}
        config.reward.custom_reward_function = {
            "path": str(tmp_path / "reward.py"), "name": "compute_score",
        }  # fmt: skip
        config.trainer.save_freq = -1
        (job.folder / "own.yaml").write_text(OmegaConf.to_yaml(config))
        done = subprocess.run(
            [sys.executable, "-m", "verl.trainer.main_ppo", f"--config-path={job.folder}",
             "--config-name=own"],
            env=os.environ | dict(machine.environment), cwd=tmp_path, capture_output=True,
            text=True, check=False, timeout=900,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    drawn = rows(Path(config.trainer.default_local_dir) / "curriculum.jsonl")
    expected = [item.uid for item in job.pool]
    assert [line["uids"] for line in drawn] == [expected[:4], expected[4:8]]
    metrics = rows(Path(config.trainer.default_local_dir) / "metrics.jsonl")
    assert [row["step"] for row in metrics] == [1, 2]
    assert not any(key.startswith("verdict/") for row in metrics for key in row)
