"""The pages in a real browser: their sections are there and nothing is wider than the window."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runners.report import write_run_report, write_transfer_report

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--allow-file-access-from-files",
)  # fmt: skip
# Frames of a phone's and a desktop's width; what their pages measure ends up in the title.
FRAMES = """<!doctype html><iframe src="report.html" style="width:{phone}px"></iframe>
<iframe src="report.html" style="width:1280px"></iframe><script>
onload = () => {{ document.title = [...document.querySelectorAll("iframe")].map(
  f => f.contentDocument.documentElement.scrollWidth + "/" + f.contentWindow.innerWidth).join(" ")
}}</script>"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason=f"no {NAMES} on PATH"),
]


def browse(page: Path, *flags: str) -> str:
    """The page's DOM after its scripts have run."""
    profile = page.parent / "profile"
    command = [
        str(BROWSER),
        *FLAGS,
        f"--user-data-dir={profile}",
        *flags,
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    shutil.rmtree(profile, ignore_errors=True)
    return done.stdout


def assert_fits(page: Path) -> None:
    frames = page.with_name("frames.html")
    frames.write_text(FRAMES.format(phone=390), encoding="utf-8")
    title = re.search(r"<title>(.*?)</title>", browse(frames))
    assert title
    sizes = [pair.split("/") for pair in title[1].split()]
    assert [int(inner) for _, inner in sizes] == [390, 1280]
    assert all(int(needed) <= int(inner) for needed, inner in sizes), title[1]


def test_run_page_of_five_domains_and_five_buckets(run_maker: Any, tmp_path: Path) -> None:
    domains = ("code", "graph", "logic", "math", "stem")
    buckets = ("easy", "medium_2_8", "hard", "difficult_1", "very_difficult_0")
    page = write_run_report(
        run_maker(tmp_path / "run", domains=domains, trained=domains, buckets=buckets, problems=5)
    )
    dom = browse(page)
    for section in ("outcome", "learning", "curriculum", "difficulty", "verdicts", "data", "cost"):
        assert f'<section id="{section}">' in dom
    assert dom.count("<svg") >= 5 + 5 + 4
    assert_fits(page)


def test_transfer_page(transfer_maker: Any, tmp_path: Path) -> None:
    page = write_transfer_report(transfer_maker(tmp_path / "search"))
    assert "minimum 36" in browse(page)
    assert_fits(page)
    picture = tmp_path / "page.png"
    browse(page, f"--screenshot={picture}", "--window-size=1280,2000")
    assert picture.stat().st_size > 20_000
