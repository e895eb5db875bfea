"""A model that can add a little, and jobs to train it on, small enough for verl on a CPU."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curricula.base import Item
from curricula.staged import Staged
from difficulty.engine import Sampling
from difficulty.prompts import Prompter, PromptFormat
from domains.exact import Exact
from domains.problem import Problem
from runners.trainer import TrainingJob
from runners.verl import VerlTrainer

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


JobMaker = Callable[..., TrainingJob]


@pytest.fixture
def make_job(adding_model: Path, tmp_path: Path) -> JobMaker:
    """Jobs over twelve sums in two buckets, evaluated on four others."""

    def make(**changes: Any) -> TrainingJob:
        training, evaluation = sums()[:12], sums()[12:]
        pool = tuple(
            Item(p.uid, p.domain, p.source, ("easy", "hard")[i % 2], 0.8 - 0.4 * (i % 2))
            for i, p in enumerate(training)
        )
        settings: dict[str, Any] = {
            "model": adding_model,
            "folder": tmp_path / "run" / "training",
            "problems": {p.uid: p for p in training},
            "pool": pool,
            "scheduler": Staged(),
            "prompter": Prompter(PromptFormat(), {}),
            "sampling": Sampling(max_tokens=4),
            "seed": 1,
            "evaluation": tuple(evaluation),
            "evaluation_samples": 2,
            "evaluate_every": 0,
            "evaluate": lambda engine, step: None,
        }
        return TrainingJob(**(settings | changes))

    return make


TrainerMaker = Callable[..., VerlTrainer]


@pytest.fixture
def make_trainer() -> TrainerMaker:
    """Trainers of two short steps on the CPU."""

    def make(**changes: Any) -> VerlTrainer:
        settings = {
            "device": "cpu",
            "steps": 2,
            "prompts_per_step": 4,
            "samples_per_prompt": 4,
            "learning_rate": 1e-3,
            "checkpoint_every": 2,
            "stall_seconds": 300,
        }
        return VerlTrainer.model_validate(settings | changes)

    return make


@pytest.fixture
def rows() -> Callable[[Path], list[dict[str, Any]]]:
    """Reads JSON lines."""

    def read(path: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text().splitlines()]

    return read
