"""The only list of checkers. To add one: its file, then its class in `AnyChecker`."""

from typing import Annotated

from pydantic import Field

from domains.assignments import Assignment
from domains.choices import Choice
from domains.exact import Exact
from domains.math_answers import Math
from domains.numbers_with_units import Number
from domains.reasoning_gym_scores import ReasoningGym
from domains.unit_tests import UnitTests
from domains.yes_no import YesNo

AnyChecker = Annotated[
    Math | Choice | YesNo | Assignment | Number | Exact | ReasoningGym | UnitTests,
    Field(discriminator="kind"),
]
"""Every way of judging an answer, told apart by `kind`."""
