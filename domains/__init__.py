"""What is asked and what is right. To add a source of problems: its file, then a line in the union.

Checkers have their own union, in `domains/checkers.py`.
"""

from typing import Annotated

from pydantic import Field

from domains.assert_lists import AssertLists
from domains.base import Checker, Domain
from domains.checkers import AnyChecker
from domains.competition_math import CompetitionMath
from domains.gsm8k import Gsm8k
from domains.human_eval import HumanEval
from domains.judge import judge
from domains.knights import Knights
from domains.measurements import Measurements
from domains.problem import STATUSES, Problem, Status, Verdict
from domains.procedural import Procedural
from domains.sources import File, HubDataset
from domains.tiny_families import TinyFamilies

AnyDomain = Annotated[
    File
    | HubDataset
    | Gsm8k
    | CompetitionMath
    | HumanEval
    | AssertLists
    | Knights
    | Measurements
    | Procedural
    | TinyFamilies,
    Field(discriminator="kind"),
]
"""Every source of problems, told apart by `kind`."""

__all__ = [
    "STATUSES",
    "AnyChecker",
    "AnyDomain",
    "Checker",
    "Domain",
    "Knights",
    "Measurements",
    "Problem",
    "Procedural",
    "Status",
    "TinyFamilies",
    "Verdict",
    "judge",
]
