"""The trained model out of verl's last FSDP checkpoint, as a Hugging Face folder.

verl has a tool for this (`verl.model_merger`), which rounds the weights to bfloat16 and leaves a
LoRA adapter beside the unchanged base; evaluation must see the policy exactly as it was trained,
so the shards are put together here, in the precision they were trained in.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TOKENIZER_FILES = (
    "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt",
    "chat_template*", "generation_config.json",
)  # fmt: skip
"""What the trained folder takes over from the base as it stands."""


def write_model(actor: Path, base: Path, target: Path) -> None:
    """Write the policy of the checkpoint folder `actor` to `target`, whole or not at all."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    state = _full_state(actor)
    if any("lora_" in name for name in state):
        model = _with_adapter(model, actor, state)
    else:
        load_exactly(model, state)
    beside = target.with_name(target.name + ".tmp")
    shutil.rmtree(beside, ignore_errors=True)
    model.save_pretrained(beside)
    for pattern in TOKENIZER_FILES:
        for path in base.glob(pattern):
            shutil.copy2(path, beside)
    beside.replace(target)


def load_exactly(model: Any, state: Mapping[str, Any]) -> None:
    """Load every weight of a model; only tied ones may be missing. `RuntimeError` otherwise."""
    found = model.load_state_dict(state, strict=False)
    tied = set(getattr(model, "all_tied_weights_keys", None) or ())
    missing = [n for n in found.missing_keys if n.removeprefix("base_model.model.") not in tied]
    if missing or found.unexpected_keys:
        raise RuntimeError(
            f"the trained weights do not fit the model: missing {missing}, "
            f"unexpected {found.unexpected_keys}"
        )


def _full_state(actor: Path) -> dict[str, Any]:
    """Name to whole float32 tensor, from the shard of every rank."""
    import torch
    from torch.distributed.tensor import DTensor

    world = json.loads((actor / "fsdp_config.json").read_text())["world_size"]
    paths = [actor / f"model_world_size_{world}_rank_{rank}.pt" for rank in range(world)]
    shards = [torch.load(path, map_location="cpu", weights_only=False) for path in paths]
    state = {}
    for name, first in shards[0].items():
        if isinstance(first, DTensor):
            parts = [shard[name].to_local() for shard in shards]
            state[name] = torch.cat(parts, dim=first.placements[-1].dim).float()
        else:
            state[name] = first.float()
    return state


def _with_adapter(model: Any, actor: Path, state: dict[str, Any]) -> Any:
    """The model with the LoRA adapter of the checkpoint merged in."""
    from peft import LoraConfig, get_peft_model

    trained = json.loads((actor / "lora_train_meta.json").read_text())
    settings = LoraConfig(
        task_type="CAUSAL_LM",
        r=trained["r"],
        lora_alpha=trained["lora_alpha"],
        target_modules="all-linear",
    )
    model = get_peft_model(model, settings)
    load_exactly(model, state)
    return model.merge_and_unload()
