"""What a model folder is: the checks before it is loaded, and hashes that tell two models apart."""

import hashlib
import json
from functools import cache
from pathlib import Path

_WEIGHTS = ("*.safetensors", "*.bin", "*.gguf")


def require_model_folder(folder: Path) -> Path:
    """The folder, or a `ValueError` that says what is missing from it to be a model."""
    if not folder.is_dir():
        raise ValueError(f"model must be a Hugging Face model folder, but got {folder} (no folder)")
    if not (folder / "config.json").is_file():
        raise ValueError(
            f"model must be a Hugging Face model folder, but {folder} has no config.json"
        )
    if not _weight_files(folder):
        raise ValueError(
            f"model must be a Hugging Face model folder, but {folder} has no weights "
            f"({' or '.join(_WEIGHTS)})"
        )
    return folder


def model_identity(folder: Path, chat_template: str | None) -> dict[str, str]:
    """What makes a model's completions its own: name, weights and the template it is asked with."""
    return {
        "model": folder.name,
        "weights": weights_hash(folder),
        "chat_template": template_hash(folder, chat_template),
    }


def where_it_runs() -> str:
    """`cuda` or `cpu`, without importing torch: on another device a model answers differently."""
    return "cuda" if Path("/dev/nvidiactl").exists() else "cpu"


@cache
def weights_hash(folder: Path) -> str:
    """16 hex digits of SHA-256 over config and weight files, in order of their names."""
    digest = hashlib.sha256()
    for path in [folder / "config.json", *_weight_files(folder)]:
        digest.update(path.name.encode())
        with path.open("rb") as file:
            while block := file.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()[:16]


def template_hash(folder: Path, chat_template: str | None) -> str:
    """16 hex digits of SHA-256 over the chat template in use and the tokenizer."""
    digest = hashlib.sha256()
    if chat_template is not None:
        digest.update(chat_template.encode())
    else:
        digest.update(_own_template(folder).encode())
    tokenizer = folder / "tokenizer.json"
    if tokenizer.is_file():
        digest.update(tokenizer.read_bytes())
    return digest.hexdigest()[:16]


def _own_template(folder: Path) -> str:
    alone = folder / "chat_template.jinja"
    if alone.is_file():
        return alone.read_text()
    settings = folder / "tokenizer_config.json"
    if settings.is_file():
        return str(json.loads(settings.read_text()).get("chat_template", ""))
    return ""


def _weight_files(folder: Path) -> list[Path]:
    return sorted(path for pattern in _WEIGHTS for path in folder.glob(pattern))
