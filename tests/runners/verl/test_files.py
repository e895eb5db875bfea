"""What is written for verl, what is read back, and what is refused before Ray starts."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from curricula.base import Batch, Item, Outcome
from difficulty.engines.base import Sampling
from domains.verl.own_rows import restore
from runners.trainer import TrainingJob
from runners.verl.endings import end_tokens, finish_reason
from runners.verl.job_file import JobFile
from runners.verl.machine import resolve_device, resolve_rollout
from runners.verl.records import evaluation_rows, step_row
from runners.verl.trainer import VerlTrainer

JobMaker = Callable[..., TrainingJob]
TrainerMaker = Callable[..., VerlTrainer]


def test_a_training_row_says_all_that_a_verdict_needs(
    make_job: JobMaker, make_trainer: TrainerMaker
) -> None:
    import pyarrow.parquet

    job = make_job()
    job.folder.mkdir(parents=True)
    files = make_trainer().write_files(job)
    rows = pyarrow.parquet.read_table(files.train).to_pylist()
    assert [row["extra_info"]["index"] for row in rows] == list(range(12))
    first = rows[0]
    assert first["data_source"] == "sums"
    assert first["ability"] == "math"
    assert first["prompt"] == [{"role": "user", "content": "0+0="}]
    assert first["reward_model"] == {"style": "rule", "ground_truth": "0"}
    assert first["extra_info"]["bucket"] == "easy"
    assert [restore(row) for row in rows] == [job.problems[item.uid] for item in job.pool]
    # <bos> <user> 0 + 0 = <assistant>
    assert files.prompt_tokens == 7


def test_the_job_file_builds_the_same_curriculum(
    make_job: JobMaker, make_trainer: TrainerMaker
) -> None:
    job = make_job()
    job.folder.mkdir(parents=True)
    read = JobFile.read(make_trainer(steps=4).write_files(job).job)
    ours, theirs = job.scheduler.build(job.pool, 4, job.seed), read.build_curriculum()
    assert [theirs.next_batch(4) for _ in range(5)] == [ours.next_batch(4) for _ in range(5)]
    assert json.loads(json.dumps(theirs.state_dict())) == ours.state_dict()


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [([5, 6, 0], "stop"), ([5, 6, 7], "length"), ([5, 0], "stop"), ([], "stop")],
)
def test_a_full_completion_without_an_end_token_was_cut_off(tokens: list[int], reason: str) -> None:
    assert finish_reason(tokens, 3, frozenset({0})) == reason


def test_end_tokens_are_those_of_the_generation_config(adding_model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(adding_model)
    assert end_tokens(str(adding_model), tokenizer) == {tokenizer.eos_token_id}


def test_a_step_is_summed_up_by_hand() -> None:
    outcomes = [
        Outcome("a", (1.0, 0.0), ("correct", "wrong"), (1.0, -1.0), (2, 4)),
        Outcome("b", (0.0, 0.0), ("truncated", "no_answer"), (0.0, 0.0), (6, 4)),
    ]
    verl = {"actor/entropy": 2.0, "actor/pg_loss": 0.5, "actor/grad_norm": 3.0}
    verl |= {"actor/kl_loss": 4.0, "actor/kl_coef": 0.25, "critic/vf_loss": 0.75}
    items = {"a": Item("a", "math", "s", "easy"), "b": Item("b", "code", "s")}
    row = step_row(Batch(3, "easy", ("a", "b")), outcomes, items, verl)
    assert row == {
        "step": 3,
        "stage": "easy",
        "rollouts": 4,
        "reward/mean": 0.25,
        "reward/code": 0.0,
        "reward/math": 0.5,
        "bucket_reward/easy": 0.5,
        "zero_variance": 0.5,
        "effective_batch": 1.0,
        "response_length": 4.0,
        "entropy": 2.0,
        "loss": 1.5,  # 0.5 + 0.25 x 4
        "grad_norm": 3.0,
        "verdict/correct": 0.25,
        "verdict/no_answer": 0.25,
        "verdict/truncated": 0.25,
        "verdict/wrong": 0.25,
        "value_loss": 0.75,
        "kl": 4.0,
    }


def test_evaluation_rows_count_a_failed_checker_apart() -> None:
    problems = {uid: Item(uid, "math", "sums") for uid in ("a", "b", "unseen")}
    rows = evaluation_rows(
        5, problems, ["b", "a", "a", "a"], ["wrong", "correct", "verifier_error", "truncated"]
    )
    assert [(row.uid, row.n, row.correct, row.verifier_errors) for row in rows] == [
        ("a", 2, 1, 1),
        ("b", 1, 0, 0),
    ]
    assert {(row.phase, row.step) for row in rows} == {("during", 5)}


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert resolve_device("auto") == "cpu"
    with pytest.raises(ValueError, match=r"trainer\.device must .* got device='cuda'"):
        resolve_device("cuda")


def test_the_rollout_follows_the_device() -> None:
    assert resolve_rollout("auto", "cpu") == "transformers"
    with pytest.raises(ValueError, match=r"trainer\.rollout must be vllm on a GPU"):
        resolve_rollout("transformers", "cuda")


def test_stop_strings_are_refused(make_job: JobMaker, make_trainer: TrainerMaker) -> None:
    with pytest.raises(ValueError, match=r"sampling\.stop must be empty .* stop=\['x'\]"):
        make_trainer().train(make_job(sampling=Sampling(stop=("x",))))


def test_a_prompt_that_does_not_fit_is_refused(
    make_job: JobMaker, make_trainer: TrainerMaker
) -> None:
    job = make_job(sampling=Sampling(max_tokens=128))
    with pytest.raises(ValueError, match=r"128 positions, but problem [0-9a-f]{16} has 7 prompt"):
        make_trainer().train(job)


def test_a_trained_model_is_returned_at_once(
    make_job: JobMaker, make_trainer: TrainerMaker
) -> None:
    job = make_job()
    (job.folder / "model").mkdir(parents=True)
    assert make_trainer().train(job) == job.folder / "model"
