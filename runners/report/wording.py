"""How numbers are written on a page: rates as .44, differences as +.49, intervals as [a, b]."""

from __future__ import annotations

import math

from runners.evaluation.summary import Estimate

MISSING = "–"
MINUS = "−"


def rate(value: float | None) -> str:
    """.44, 1.00 or −.03: two decimals, no leading zero."""
    if value is None or math.isnan(value):
        return MISSING
    text = f"{abs(value):.2f}".removeprefix("0")
    return f"{MINUS}{text}" if value < 0 and text != ".00" else text


def signed(value: float | None) -> str:
    """+.49, −.03 or .00."""
    text = rate(value)
    return text if text in (MISSING, ".00") or text.startswith(MINUS) else f"+{text}"


def interval(estimate: Estimate) -> str:
    """[.90, .95], or nothing where there is no estimate."""
    if math.isnan(estimate.mean):
        return ""
    return between(rate(estimate.low), rate(estimate.high))


def signed_interval(estimate: Estimate) -> str:
    if math.isnan(estimate.mean):
        return ""
    return between(signed(estimate.low), signed(estimate.high))


def between(low: str, high: str) -> str:
    """[low, high], with a space at which no line breaks."""
    return f"[{low},\N{NO-BREAK SPACE}{high}]"


def count(value: int | float) -> str:
    """12,345."""
    return f"{value:,.0f}"


def counted(value: int, noun: str) -> str:
    """1 problem, 12 problems."""
    return f"{count(value)} {noun}{'' if value == 1 else 's'}"


def listed(names: list[str], most: int = 6) -> str:
    """a, b and c; a long list is cut off."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def duration(seconds: float | None) -> str:
    """0.4 s, 48 s, 3 min 20 s or 2 h 05 min."""
    if seconds is None or math.isnan(seconds):
        return MISSING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def flops(value: float | None) -> str:
    """Floating-point operations with an SI prefix, such as 1.23 PFLOP."""
    if value is None or math.isnan(value):
        return MISSING
    for power, prefix in ((21, "Z"), (18, "E"), (15, "P"), (12, "T"), (9, "G"), (6, "M")):
        if value >= 10**power:
            return f"{value / 10**power:.3g} {prefix}FLOP"
    return f"{value:,.0f} FLOP"
