"""A model that can add a little, and jobs to train it on, small enough for verl on a CPU."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from curricula.base import Item
from curricula.staged import Staged
from difficulty.engines.base import Sampling
from difficulty.prompts import Prompter, PromptFormat
from domains.checkers.exact import Exact
from domains.problem import Problem
from runners.tracking.trackers import RolloutSettings, TrackingSettings
from runners.trainer import TrainingJob
from runners.verl.trainer import VerlTrainer

SPECIAL = ("<eos>", "<pad>", "<bos>", "<unk>", "<system>", "<user>", "<assistant>")
TEMPLATE = (
    "{{ '<bos>' }}{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)

os.environ.setdefault("OMP_NUM_THREADS", "1")


def sums() -> list[Problem]:
    """Sixteen sums modulo four, `0+0=` to `3+3=`."""
    return [
        Problem.make(
            domain="math",
            source="sums",
            prompt=f"{a}+{b}=",
            answer=str((a + b) % 4),
            checker=Exact(),
            labels={"first": a},
        )
        for a in range(4)
        for b in range(4)
    ]


@pytest.fixture(scope="session")
def adding_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of 40 thousand parameters that answers with one digit, mostly a wrong one."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    vocabulary = {token: i for i, token in enumerate((*SPECIAL, *"0123+=QuestionAwr: \n"))}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    raw.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="<eos>", pad_token="<pad>", bos_token="<bos>",
        unk_token="<unk>", additional_special_tokens=list(SPECIAL[4:]), chat_template=TEMPLATE,
    )  # fmt: skip
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=128,
        tie_word_embeddings=True, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    lines = [f"<bos><user>{p.prompt}<assistant>{digit}<eos>" for p in sums() for digit in "0123"]
    tokens = tokenizer(lines, add_special_tokens=False, return_tensors="pt").input_ids
    for _ in range(30):
        loss = model(input_ids=tokens, labels=tokens).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    folder = tmp_path_factory.mktemp("adding") / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def build_job(model: Path, folder: Path, **changes: Any) -> TrainingJob:
    """A job over twelve sums in two buckets, evaluated on four others."""
    training, evaluation = sums()[:12], sums()[12:]
    pool = tuple(
        Item(p.uid, p.domain, p.source, ("easy", "hard")[i % 2], 0.8 - 0.4 * (i % 2))
        for i, p in enumerate(training)
    )
    settings: dict[str, Any] = {
        "model": model,
        "folder": folder / "run" / "training",
        "problems": {p.uid: p for p in training},
        "pool": pool,
        "scheduler": Staged(),
        "prompter": Prompter(PromptFormat(), {}),
        "sampling": Sampling(max_tokens=4),
        "seed": 1,
        "evaluation": tuple(evaluation),
        "evaluation_samples": 2,
        "evaluate_every": 0,
        "evaluate": lambda engine, step: [],
    }
    return TrainingJob(**(settings | changes))


def build_trainer(**changes: Any) -> VerlTrainer:
    """A trainer of two short steps on the CPU."""
    settings = {
        "device": "cpu",
        "steps": 2,
        "prompts_per_step": 4,
        "samples_per_prompt": 4,
        "learning_rate": 1e-3,
        "checkpoint_every": 2,
        "stall_seconds": 900,  # a busy machine may take minutes to start Ray
    }
    return VerlTrainer.model_validate(settings | changes)


@pytest.fixture
def make_job(adding_model: Path, tmp_path: Path) -> Callable[..., TrainingJob]:
    return partial(build_job, adding_model, tmp_path)


@pytest.fixture
def make_trainer() -> Callable[..., VerlTrainer]:
    return build_trainer


@pytest.fixture(scope="session")
def build() -> tuple[Callable[..., TrainingJob], Callable[..., VerlTrainer]]:
    """The same two for fixtures that live longer than a test; the job wants model and folder."""
    return build_job, build_trainer


# loaded in verl's processes beside our own plug-in: keeps what each step was computed from
# and the weights that the trainer's worker hands to the rollouts, 0 before the first step
TAP = """
import itertools, os, pathlib, torch, transfer_queue
from runners.verl import weights

own_load, calls = weights.load_exactly, itertools.count()

def load_exactly(model, state):
    path = pathlib.Path(__file__).with_name(f"weights-{next(calls)}.pt")
    torch.save(dict(state), f"{path}.{os.getpid()}")
    os.replace(f"{path}.{os.getpid()}", path)  # every rank's rollout comes by here
    own_load(model, state)

weights.load_exactly = load_exactly

from runners.verl.curriculum_trainer import CurriculumTrainer

FIELDS = ["prompts", "responses", "rm_scores", "old_log_probs", "advantages"]
own_step = CurriculumTrainer.step

def step(self, metrics, timing_raw):
    batch = own_step(self, metrics, timing_raw)
    data = transfer_queue.kv_batch_get(
        keys=batch.keys, partition_id=batch.partition_id, select_fields=FIELDS
    )
    columns = {name: [row.clone() for row in data[name]] for name in FIELDS}
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    path = self.job.training_folder / f"tapped-{self.global_steps}.pt"
    torch.save(dict(zip(batch.keys, rows)), path)
    return batch

CurriculumTrainer.step = step
"""


@dataclass(frozen=True)
class Run:
    """A finished training."""

    trainer: VerlTrainer
    job: TrainingJob
    model: Path
    folder: Path
    """What the tap kept."""


def tapped(adding_model: Path, folder: Path, **changes: Any) -> Run:
    """Some steps, evaluated after the last but one, tracked offline and tapped.

    The learning rate is small because AdamW divides by a gradient's size: where that is next to
    nothing, the order in which a batch is summed up, which is another in every run, can turn a
    step of the whole learning rate around.
    """
    (folder / "tap_of_the_tests.py").write_text(TAP)
    job = build_job(
        adding_model,
        folder,
        # hot, so that lengths differ and a mean over tokens is not one over sequences
        sampling=Sampling(temperature=2.0, max_tokens=4),
        evaluate_every=changes["steps"] - 1,
        tracking=TrackingSettings(
            wandb="curricle-tests", tensorboard=True, rollouts=RolloutSettings(characters=9)
        ),
    )
    settings = {"samples_per_prompt": 8, "learning_rate": 2e-5, "checkpoint_every": 100}
    trainer = build_trainer(**settings | changes)
    with pytest.MonkeyPatch.context() as during:
        during.setenv("WANDB_MODE", "offline")
        during.setenv("VERL_USE_EXTERNAL_MODULES", "tap_of_the_tests")
        during.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        model = trainer.train(job)
    return Run(trainer, job, model, folder)


@pytest.fixture(scope="session")
def grpo_run(adding_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Ten steps of GRPO, tapped."""
    return tapped(adding_model, tmp_path_factory.mktemp("grpo"), steps=10)


@pytest.fixture(scope="session")
def two_ranks_run(adding_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two steps of Dr.GRPO, whose loss is a mean over sequences, with a KL loss, on two ranks."""
    changes = {"steps": 2, "algorithm": "dr_grpo", "kl_coefficient": 0.1, "gpus_per_node": 2}
    return tapped(adding_model, tmp_path_factory.mktemp("ranks"), **changes)


@pytest.fixture
def rows() -> Callable[[Path], list[dict[str, Any]]]:
    """Reads JSON lines."""

    def read(path: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text().splitlines()]

    return read
