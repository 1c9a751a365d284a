"""What a device says of its time once it has agreed to a schedule that the other side proposed.

Whoever agrees to an NDC is awake in its slots, so its availability has to have them committed; a peer checks that.
Source: Wi-Fi Aware specification 4.0, section 8.2 (schedule negotiation); checked by an independent implementation.
"""

from dataclasses import replace

from pairing.engine import Micros
from pairing.nan.attributes import Availability, AvailabilityEntry, Ndc, ScheduleEntry
from pairing.nan.timing import DW0_PERIOD_TU, SLOT_TU, TU

_COMMITTED = 0x0001  # of the type bits
_SLOTS: tuple[Micros, ...] = tuple(start * TU for start in range(0, DW0_PERIOD_TU, SLOT_TU))


def committed_to(availability: tuple[Availability, ...], ndc: Ndc) -> tuple[Availability, ...]:
    """The availability that also has the slots of an NDC, on the channels that are committed already."""
    return tuple(_with_slots(each, ndc) for each in availability)


def _with_slots(availability: Availability, ndc: Ndc) -> Availability:
    committed = tuple(each for each in availability.entries if each.control & _COMMITTED)
    wanted = (each for each in ndc.entries if each.map_id == availability.map_id)
    missing = tuple(each for each in wanted if committed and not _is_covered(each, committed))
    if not missing:
        return availability
    added = tuple(replace(committed[0], time_bitmap=each.time_bitmap) for each in missing)
    sequence_id = availability.sequence_id + 1 & 0xFF
    return replace(availability, sequence_id=sequence_id, entries=(*added, *availability.entries))


def _is_covered(schedule: ScheduleEntry, committed: tuple[AvailabilityEntry, ...]) -> bool:
    times = [each.time_bitmap for each in committed]
    if None in times:
        return True
    return all(
        any(time is not None and time.covers(slot) for time in times)
        for slot in _SLOTS
        if schedule.time_bitmap.covers(slot)
    )
