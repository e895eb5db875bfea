"""One arm of `local_trainer.py`: TRL's GRPOTrainer, driven round by round over a pipe.

    python benchmarks/local_trainer_trl.py TASK.json

Imports nothing of Curricle, so the interpreter may be one of its own. The protocol is that of
`local_trainer.py`: after the steps of each round it says what they took, and waits to be told to go
on. The prompts come rendered, so that both arms start from the same tokens; the reward compares
the end of the completion with the answer and costs nothing.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from transformers.utils import logging
from trl import GRPOConfig, GRPOTrainer

ROWS_AT_ONCE = 16
"""Completions in a forward pass with gradients, where the model is a large one."""


class Rounds(TrainerCallback):  # type: ignore[misc]
    """Times every `steps` steps, the first of them as warm-up, and waits between rounds."""

    def __init__(self, steps: int, channel: Any) -> None:
        self.steps, self.channel = steps, channel

    def on_step_end(self, args: Any, state: Any, control: Any, **words: Any) -> None:
        if state.global_step % self.steps == 0:
            if state.global_step == self.steps:
                said: dict[str, Any] = {"version": version("trl")}
            else:
                said = {
                    "seconds": time.perf_counter() - self.wall,
                    "cpu": time.process_time() - self.cpu,
                }
            told(self.channel, said, state)
            self.wall, self.cpu = time.perf_counter(), time.process_time()


def told(channel: Any, said: dict[str, Any], state: Any) -> None:
    """Say a line and wait; the end of the input is the end of the work."""
    rows = [row for row in state.log_history if "reward" in row]
    said["steps"] = [
        {
            "reward": row["reward"],
            "tokens": row["completions/mean_length"],
            "equal": row["frac_reward_zero_std"],
        }
        for row in rows
    ]
    print(json.dumps(said), file=channel, flush=True)
    if not sys.stdin.readline():
        os._exit(0)


def main() -> None:
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what TRL prints is no part of the protocol
    logging.disable_progress_bar()
    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.set_num_threads(task["threads"])
    model = AutoModelForCausalLM.from_pretrained(
        task["model"], dtype=torch.float32, attn_implementation="sdpa"
    )
    tokenizer = AutoTokenizer.from_pretrained(task["model"])
    rows = task["rows"]
    assert all(tokenizer(row["prompt"])["input_ids"] == row["tokens"] for row in rows)
    columns = [{"prompt": row["prompt"], "answer": row["answer"]} for row in rows]
    lora = {"r": task["lora_rank"], "lora_alpha": 2 * task["lora_rank"]}
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward,
        args=settings(task, tempfile.mkdtemp()),
        train_dataset=Dataset.from_list(columns),
        processing_class=tokenizer,
        peft_config=LoraConfig(**lora, target_modules="all-linear") if lora["r"] else None,
        callbacks=[Rounds(task["steps_a_round"], channel)],
    )
    trainer.train()


def reward(completions: list[str], answer: list[str], **columns: Any) -> list[float]:
    return [
        float(text.rsplit(":", 1)[-1].strip() == gold)
        for text, gold in zip(completions, answer, strict=True)
    ]


def settings(task: dict[str, Any], folder: str) -> GRPOConfig:
    """The same mathematics as the local trainer's: no reference, token mean, one update a batch."""
    # all logits of 64 prompts of SmolLM2 at once took 22 GB
    rows = min(task["prompts"] * task["samples"], ROWS_AT_ONCE if task["lora_rank"] else 10**6)
    return GRPOConfig(
        output_dir=folder,
        per_device_train_batch_size=rows,
        gradient_accumulation_steps=task["prompts"] * task["samples"] // rows,
        num_generations=task["samples"],
        max_completion_length=task["max_tokens"],
        max_steps=10**6,
        learning_rate=task["learning_rate"],
        lr_scheduler_type="constant",
        adam_beta1=task["betas"][0],
        adam_beta2=task["betas"][1],
        weight_decay=0.0,
        max_grad_norm=1.0,
        epsilon=task["clip_low"],
        epsilon_high=task["clip_high"],
        beta=0.0,
        loss_type="dapo",
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        seed=task["seed"],
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )


if __name__ == "__main__":
    main()
