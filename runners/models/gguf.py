"""A GGUF file as a model: dequantised once into a Hugging Face folder, and cached.

So `model: path/to/SmolLM2-135M-Instruct.Q4_1.gguf` works wherever a folder does. The weights are
those of the quantised file in float32: a model of its own, with its own hash and its own scores.
"""

import hashlib
import os
import shutil
from pathlib import Path

from filelock import FileLock


def gguf_as_folder(file: Path, cache: Path) -> Path:
    """The folder made from `file`, made on first use. Raises `ValueError` if it is no GGUF file."""
    with file.open("rb") as opened:
        if opened.read(4) != b"GGUF":
            raise ValueError(f"model must be a GGUF file if it ends in .gguf, but got {file}")
    folder = cache / f"{file.stem}-{_hash(file)}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            beside = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
            shutil.rmtree(beside, ignore_errors=True)
            _convert(file, beside)
            beside.rename(folder)
    return folder


def _convert(file: Path, folder: Path) -> None:
    try:
        import accelerate  # noqa: F401  transformers asks for both only deep inside
        import gguf  # noqa: F401
    except ImportError:
        raise ValueError(
            f"a GGUF model needs the packages gguf and accelerate, but got {file} without them: "
            "pip install 'curricle[gguf]'"
        ) from None
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place, name = str(file.parent), file.name
    tokenizer = AutoTokenizer.from_pretrained(place, gguf_file=name)
    loaded = AutoModelForCausalLM.from_pretrained(place, gguf_file=name, dtype=torch.float32)
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config  # save_pretrained refuses while it is there
    fresh = type(loaded)(config)
    fresh.load_state_dict(loaded.state_dict())
    fresh.tie_weights()
    # transformers mistakes the end token of such tokenizers; the file itself names it.
    end = _end_token(file)
    tokenizer.eos_token = tokenizer.pad_token = tokenizer.convert_ids_to_tokens(end)
    for settings in (fresh.config, fresh.generation_config):
        settings.eos_token_id = settings.pad_token_id = end
    fresh.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _end_token(file: Path) -> int:
    from gguf import GGUFReader

    field = GGUFReader(str(file)).fields["tokenizer.ggml.eos_token_id"]
    return int(field.parts[field.data[0]][0])


def _hash(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()[:12]
