"""Drawing with matplotlib into inline SVG that takes its colours and fonts from the page.

matplotlib knows fixed colours only, and a page has a light and a dark side. So each colour is a
CSS expression such as `var(--ink)`: `Sheet.colour` hands out a stand-in hex code for it, and
`Sheet.svg` puts the expression back. Text stays text, set in the page's own font.

Sizes are in CSS pixels. Names from data are never read as TeX and come out escaped.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

INK, MUTED, RULE, ACCENT, PAPER = (
    f"var(--{name})" for name in ("ink", "muted", "rule", "accent", "paper")
)
DOMAIN_COLOURS = 8
PANEL = (300, 190)
"""Width and height of a small plot, several of which stand side by side."""


def domain_colour(index: int) -> str:
    return f"var(--domain-{index % DOMAIN_COLOURS})"


def bucket_colour(index: int, buckets: int) -> str:
    """From easy to hard; a bucket's place among all of them is its shade."""
    share = 100 * index / max(1, buckets - 1)
    return f"color-mix(in oklab, var(--hard) {share:.0f}%, var(--easy))"


Legend = tuple[tuple[str, str], ...]
"""(name, CSS colour) pairs."""


@dataclass(frozen=True)
class Figure:
    """A drawing and what it says."""

    svg: Markup
    title: str
    label: str
    """What it shows in words, for those who cannot see it."""
    narrow: Markup | None = None
    """The same drawing for a phone's width."""
    legend: Legend = ()


class Sheet:
    """One drawing with one pair of axes."""

    def __init__(self, name: str, width: float, height: float) -> None:
        """`name` must be unique on the page: it keeps the ids of two drawings apart."""
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure as Canvas

        self._name = name
        self.width = width
        """In CSS pixels."""
        self._codes: dict[str, str] = {}
        self._canvas = Canvas(figsize=(width / 72, height / 72), dpi=72, layout="constrained")
        FigureCanvasSVG(self._canvas)
        self.axes: Any = self._canvas.add_subplot()
        self.axes.patch.set_visible(False)
        self.axes.spines[["top", "right"]].set_visible(False)
        self.axes.spines[["left", "bottom"]].set_color(self.colour(RULE))
        self.axes.tick_params(
            colors=self.colour(MUTED), labelsize=11, length=3, color=self.colour(RULE)
        )

    def colour(self, css: str) -> str:
        """A stand-in for a CSS colour, for use in matplotlib."""
        return self._codes.setdefault(css, f"#fe{len(self._codes):02x}37")

    def text(self, x: float, y: float, text: str, css: str = MUTED, **style: Any) -> None:
        """Text that is never read as TeX."""
        style = {"fontsize": 11, "color": self.colour(css), "parse_math": False} | style
        self.axes.text(x, y, text, **style)

    def grid(self, axis: str) -> None:
        self.axes.grid(axis=axis, color=self.colour(RULE), linewidth=0.6)
        self.axes.set_axisbelow(True)

    def whole_steps(self) -> None:
        """At most six ticks on x, at whole numbers."""
        from matplotlib.ticker import MaxNLocator

        self.axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))

    def x_label(self, text: str) -> None:
        self.axes.set_xlabel(text, color=self.colour(MUTED), fontsize=11)

    def rates(self, axis: str, low: float = 0.0, high: float = 1.0) -> None:
        """Pass rates along an axis, from 0 to 1 unless told."""
        from runners.report.wording import rate

        pad = 0.02 * (high - low)
        getattr(self.axes, f"set_{axis}lim")(low - pad, high + pad)
        which = self.axes.xaxis if axis == "x" else self.axes.yaxis
        which.set_major_formatter(lambda value, _: "0" if value == 0 else rate(value))
        self.grid(axis)

    def svg(self) -> Markup:
        """The drawing as an `<svg>` element that fills its parent's width."""
        import matplotlib

        buffer = io.StringIO()
        settings = {"svg.fonttype": "none", "svg.hashsalt": self._name}
        with matplotlib.rc_context(settings), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            self._canvas.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        text = buffer.getvalue()
        text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
        text = re.sub(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', _opening, text, count=1)
        text = re.sub(r'((?<= )id="|href="#|url\(#)', rf"\1{self._name}-", text)
        text = re.sub(r"font: (?:\w+ )*([\d.]+px) [^;\"]*", r"font-size: \1", text)
        for css, code in self._codes.items():
            text = text.replace(code, css)
        return Markup(text)


def _opening(match: re.Match[str]) -> str:
    return (
        f'<svg viewBox="{match[1]}" aria-hidden="true" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
    )


def wide(
    name: str,
    title: str,
    label: str,
    height: float,
    draw: Callable[[Sheet], None],
    legend: Legend = (),
) -> Figure:
    """A drawing over the page's full width, drawn a second time for phones."""
    drawings: list[Markup] = []
    for suffix, width in (("wide", 920), ("narrow", 360)):
        sheet = Sheet(f"{name}-{suffix}", width, height)
        draw(sheet)
        drawings.append(sheet.svg())
    return Figure(drawings[0], title, label, drawings[1], legend)


def panel(
    name: str, title: str, label: str, draw: Callable[[Sheet], None], legend: Legend = ()
) -> Figure:
    """A small drawing, one of several side by side."""
    sheet = Sheet(name, *PANEL)
    draw(sheet)
    return Figure(sheet.svg(), title, label, legend=legend)
