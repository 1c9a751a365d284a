"""How a device sets up data paths: schedule, times, what it accepts, the order of strength, and the lies to tell.

Source: Wi-Fi Aware specification 4.0, section 7.3; times and the order of strength as the reference peer has them.
"""

from dataclasses import dataclass

from pairing.engine import MILLISECOND, SECOND, Micros
from pairing.nan.attributes import (
    NdlControl,
    NdlQos,
    ScheduleEntry,
    UnalignedSchedule,
)
from pairing.nan.attributes.schedule import NDC_SELECTED
from pairing.nan.availability import TimeBitmap
from pairing.nan.platform_rules import DataPathSecurity

EVERYTHING = frozenset(DataPathSecurity)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPathTimes:
    """How long each side waits."""

    answer: Micros = 30 * SECOND
    """For the response, and for the owner's decision on a request."""
    step: Micros = 2 * SECOND
    """For every later frame."""
    acknowledgement: Micros = 100 * MILLISECOND
    """Silence of the medium after which a frame counts as arrived."""
    repeat: Micros = 100 * MILLISECOND
    tries: int = 8
    termination_repeat: Micros = 600 * MILLISECOND
    termination_tries: int = 50
    """For half a minute: nothing else tells the peer that a path is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPathSettings:
    """What the frames of our data paths say, and what we accept."""

    ndc_entries: tuple[ScheduleEntry, ...] = (ScheduleEntry(1, TimeBitmap(b"\xfe")),)
    ndc_control: int = NDC_SELECTED
    ndl_control: NdlControl = NdlControl.NDC_PRESENT | NdlControl.QOS_PRESENT
    max_idle: int | None = 25
    """In seconds; what the NDL says."""
    qos: NdlQos | None = NdlQos()  # noqa: RUF009 - a frozen value
    unaligned_schedules: tuple[UnalignedSchedule, ...] = ()
    security_capabilities: int = 0
    """Of the CSIA: group keys, replay counters, see `CipherSuiteInfo`."""
    is_interface_id_told: bool = True
    accepts: frozenset[DataPathSecurity] = EVERYTHING
    max_data_paths: int = 16
    is_refusal_blank: bool = False
    """A refusal by the owner names suite 0 and a PMKID of zeros, as the reference peer's does."""
    times: DataPathTimes = DataPathTimes()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPathLies:
    """Deviations, each off by default. Messages are numbered 1 to 4."""

    wrong_mic_at: int = 0
    silent_at: int = 0
    reject_reason: int | None = None
    """Reject every request with this reason."""


TRUTHFUL = DataPathLies()
_STRENGTH = ((8, True), (7, True), (2, True), (1, True), (8, False), (7, False), (0, False))
"""Suite, and whether the key behind it was authenticated, from the strongest on."""


def strength(suite: int, *, is_authenticated: bool) -> int:
    """How strong a path's key is, among paths between the same interfaces; the strongest stays in use."""
    return -_STRENGTH.index((suite, is_authenticated and suite != 0))
