"""What comes next. To add a scheduler: write its file, then name its class in `KnownScheduler`.

A config's `curriculum` is an `AnyScheduler`: one of these, or one from outside
(curricula/machinery/own.py). Every file here is a scheduler but for `base.py` (what a scheduler
is), and `learner.py` with `simulate.py` (a learner to try one on); what schedulers are built from
lies in `machinery/`.
"""

from typing import Annotated

from pydantic import Field, PlainSerializer, SerializationInfo, WrapValidator

from curricula.adarft import AdaRFT
from curricula.base import Batch, Choice, Curriculum, Item, Outcome, Scheduler
from curricula.dump import DUMP
from curricula.dynamic_sampling import DynamicSampling
from curricula.e2h import E2H
from curricula.greso import GRESO
from curricula.interleaved import Interleaved
from curricula.learnability import Learnability
from curricula.machinery.drawing import DrawingCurriculum
from curricula.machinery.own import or_own
from curricula.machinery.pool import Pool
from curricula.machinery.wrapper import Wrapper
from curricula.mixed import Mixed
from curricula.mopps import MoPPS
from curricula.nemotron3 import Nemotron3
from curricula.pods import PODS
from curricula.pools import Pools
from curricula.ratio_control import RatioControl
from curricula.replay import Replay
from curricula.retire import Retire
from curricula.sec import SEC
from curricula.sequence import InSequence, Part
from curricula.sequential import Sequential
from curricula.speed import Speed
from curricula.staged import Staged
from curricula.transfer_aware import TransferAware
from curricula.vcrl import VCRL

KnownScheduler = Annotated[
    Mixed
    | Sequential
    | Staged
    | Interleaved
    | E2H
    | Nemotron3
    | AdaRFT
    | SEC
    | DUMP
    | TransferAware
    | MoPPS
    | Learnability
    | VCRL
    | GRESO
    | Speed
    | Pools
    | InSequence
    | DynamicSampling
    | RatioControl
    | Replay
    | Retire
    | PODS,
    Field(discriminator="kind"),
]
"""Every scheduler of ours, told apart by `kind`."""


def _dump(scheduler: Scheduler, info: SerializationInfo) -> object:
    return scheduler.model_dump(mode=info.mode)


AnyScheduler = Annotated[KnownScheduler, WrapValidator(or_own), PlainSerializer(_dump)]

# Those that hold another scheduler name the union that they are members of.
for _holder in (Part, Wrapper, InSequence, DynamicSampling, RatioControl, Replay, Retire, PODS):
    _holder.model_rebuild(_types_namespace={"AnyScheduler": AnyScheduler})

__all__ = [
    "AnyScheduler",
    "Batch",
    "Choice",
    "Curriculum",
    "DrawingCurriculum",
    "Item",
    "KnownScheduler",
    "Mixed",
    "Outcome",
    "Pool",
    "Scheduler",
    "Staged",
]
