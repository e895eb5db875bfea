"""From `model:` in a config to a folder with a model in it."""

import os
from pathlib import Path

from difficulty.engines.model_files import require_model_folder
from runners.models.gguf import gguf_as_folder
from runners.models.tiny import build_tiny_model

TINY_SEED = 0


def cache_folder() -> Path:
    """Where models that are made here are kept: `$XDG_CACHE_HOME/curricle` or ~/.cache/curricle."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "curricle"


def resolve_model(model: str) -> Path:
    """The folder of `tiny`, of a local path or GGUF file, or of a Hugging Face id (fetched once).

    Raises `ValueError` when the path is no model or the hub cannot give it.
    """
    if model == "tiny":
        return build_tiny_model(cache_folder(), TINY_SEED)
    local = Path(model).expanduser()
    if local.suffix == ".gguf" and local.is_file():
        return gguf_as_folder(local, cache_folder())
    if local.exists() or model.startswith((".", "/", "~")) or model.count("/") != 1:
        return require_model_folder(local)
    return require_model_folder(_from_hub(model))


def _from_hub(model: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        wanted = ["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt"]
        return Path(snapshot_download(model, allow_patterns=wanted))
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        raise ValueError(
            f"model must be `tiny`, a model folder or a Hugging Face id that can be fetched, but "
            f"got {model!r}: {str(error).splitlines()[0]}"
        ) from None
