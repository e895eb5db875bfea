r"""The final answer out of a completion: one rule a function, tried in the order a checker names.

| rule          | finds                                          | in                       |
|---------------|------------------------------------------------|--------------------------|
| `tag`         | the last `<answer>...</answer>`                | `<answer>7</answer>`     |
| `boxed`       | the last complete `\boxed{...}`, nested or not | `so \boxed{\frac{1}{2}}` |
| `hashes`      | what follows the last `####` on its line       | `#### 1,234`             |
| `phrase`      | what follows the last "answer is" or "answer:" | `The answer is 7. Sure.` |
| `last_number` | the last number                                | `3 + 4 makes 7 in all`   |
| `last_line`   | the last line that is not blank                |                          |
| `whole`       | everything                                     |                          |

What stands before `</think>` is thinking: no rule looks there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

Rule = Literal["tag", "boxed", "hashes", "phrase", "last_number", "last_line", "whole"]

NUMBER = r"(?:[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|[-+]?\.\d+)"
"""An integer or a decimal, with or without thousands commas."""

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_TAG = re.compile(r"<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)
_PHRASE = re.compile(
    r"\banswer(?:\s+is(?!\s+not\b)\b|\s*(?:\*\*)?\s*[:=])[ \t:*]*(?=[^\n])", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!。!]\s+(?=\S)")
# A digit or a letter right before a number makes it a part of something else: x2, 3.1.4. A sign
# belongs to a number unless it joins two terms: 7-3 ends in 3, not in -3.
_LAST_NUMBER = re.compile(rf"(?<![\w.]){NUMBER}|(?<=[\w)])[-+](\d[\d,]*(?:\.\d+)?)")


def last_box(text: str) -> str | None:
    r"""The content of the last `\boxed{...}` whose braces close."""
    for opening in reversed(list(_BOX.finditer(text))):
        depth = 1
        for position in range(opening.end(), len(text)):
            escaped = text[position - 1] == "\\"
            if not escaped:
                depth += {"{": 1, "}": -1}.get(text[position], 0)
            if depth == 0:
                return text[opening.end() : position].strip()
    return None


def last_tag(text: str) -> str | None:
    """The content of the last `<answer>` element."""
    found = _TAG.findall(text)
    return str(found[-1]).strip() if found else None


def after_hashes(text: str) -> str | None:
    """What follows the last `####`, to the end of its line."""
    _, marker, rest = text.rpartition("####")
    return rest.strip().split("\n")[0].strip().rstrip(".") if marker else None


def after_phrase(text: str) -> str | None:
    """The sentence that follows the last "answer is" or "answer:", its full stop left out."""
    found = list(_PHRASE.finditer(text))
    if not found:
        return None
    line = text[found[-1].end() :].split("\n", maxsplit=1)[0]
    sentence = _SENTENCE_END.split(line.strip(), maxsplit=1)[0]
    return sentence.strip().rstrip(".。").strip("* ")


def last_number(text: str) -> str | None:
    """The last number, as written."""
    found = [match[1] or match[0] for match in _LAST_NUMBER.finditer(text)]
    return found[-1] if found else None


def last_line(text: str) -> str | None:
    """The last line that is not blank."""
    return text.strip().split("\n")[-1].strip()


RULES: dict[Rule, Callable[[str], str | None]] = {
    "tag": last_tag,
    "boxed": last_box,
    "hashes": after_hashes,
    "phrase": after_phrase,
    "last_number": last_number,
    "last_line": last_line,
    "whole": str.strip,
}

_STATEMENTS: dict[Rule, str] = {
    "tag": "<answer>{}</answer>",
    "boxed": r"\boxed{{{}}}",
    "hashes": "#### {}",
    "phrase": "The answer is {}",
}


def find_answer(completion: str, rules: Sequence[Rule]) -> str | None:
    """The answer that the first successful rule finds, or None; an empty one is no answer."""
    text = after_thinking(completion)
    for rule in rules:
        if answer := RULES[rule](text):
            return answer
    return None


def state_answer(answer: str, rule: Rule) -> str:
    """A completion that states `answer` as `rule` finds it."""
    return _STATEMENTS.get(rule, "{}").format(answer)


def after_thinking(completion: str) -> str:
    """What follows the last `</think>`; everything where there is none."""
    return completion.rpartition("</think>")[2]


def after_marker(completion: str, marker: str | None) -> str | None:
    """What follows the last `marker`, or None where it is missing; everything for no marker."""
    if marker is None:
        return completion.strip()
    _, found, rest = completion.rpartition(marker)
    return rest.strip() if found else None
