"""What the attributes of schedules mean: availability, NDC, NDL and its QoS."""

from collections.abc import Iterable

from devices.decode.elements import read_elements
from devices.decode.fields import Meanings
from devices.decode.nan import explains
from devices.decode.words import address, named
from pairing.nan.attributes import (
    Availability,
    AvailabilityEntry,
    AvailabilityType,
    BandList,
    ChannelList,
    ElementContainer,
    Ndc,
    Ndl,
    NdlQos,
    NdlType,
    NegotiationStatus,
    PublicAvailability,
    ScheduleEntry,
    reason_name,
)
from pairing.nan.attributes.schedule import NDC_SELECTED, NO_LATENCY_LIMIT
from pairing.nan.availability import Band, ChannelEntry, TimeBitmap


def _bitmap(bitmap: TimeBitmap) -> str:
    period = "once" if bitmap.period_tu is None else f"every {bitmap.period_tu} TU"
    return f"a bit is {bitmap.duration_tu} TU, from {16 * bitmap.start_offset} TU on, {period}"


def _schedule(entries: Iterable[ScheduleEntry], fields: Meanings) -> None:
    fields.mean("time bitmap control", *(_bitmap(each.time_bitmap) for each in entries))


@explains(Availability)
def _availability(record: Availability, fields: Meanings) -> str:
    fields.mean("availability control", f"map ID {record.map_id}")
    for entry in record.entries:
        fields.mean("entry control", _entry(entry))
        if entry.time_bitmap is not None:
            fields.mean("time bitmap control", _bitmap(entry.time_bitmap))
        match entry.places:
            case BandList():
                fields.mean("list control", "bands")
                fields.mean("band ID", *(named(Band, band) for band in entry.places.bands))
            case ChannelList():
                fields.mean("list control", "channels" + (", non-contiguous" * entry.places.is_non_contiguous))
                fields.mean("channel bitmap", *(_channels(each) for each in entry.places.channels))
    return f"map {record.map_id}"


def _entry(entry: AvailabilityEntry) -> str:
    used = "unknown" if entry.utilisation == 7 else f"{entry.utilisation}/5"
    kind = named(AvailabilityType, entry.type)
    return f"{kind}, preference {entry.preference}, utilisation {used}, RX NSS {entry.rx_nss}"


def _channels(entry: ChannelEntry) -> str:
    numbers = ", ".join(map(str, entry.channels))
    return f"channel{'s' * (len(entry.channels) > 1)} {numbers}" if numbers else "no channel that we know"


@explains(PublicAvailability)
def _public_availability(record: PublicAvailability, fields: Meanings) -> str:
    _schedule(record.entries, fields)
    return ""


@explains(Ndc)
def _ndc(record: Ndc, fields: Meanings) -> str:
    fields.mean("NDC ID", address(record.ndc_id))
    fields.mean("NDC control", "selected" if record.control & NDC_SELECTED else "not selected")
    _schedule(record.entries, fields)
    return ""


@explains(Ndl)
def _ndl(record: Ndl, fields: Meanings) -> str:
    meaning = f"{named(NdlType, record.type)}, {named(NegotiationStatus, record.status)}"
    fields.mean("type and status", meaning)
    fields.mean("reason", reason_name(record.reason))
    if record.max_idle is not None:
        fields.mean("max idle", f"{record.max_idle} s")
    _schedule(record.immutable_schedule or (), fields)
    return meaning


@explains(NdlQos)
def _qos(record: NdlQos, fields: Meanings) -> str:
    fields.mean("minimum slots", str(record.min_slots) if record.min_slots else "no preference")
    is_any = record.max_latency == NO_LATENCY_LIMIT
    fields.mean("maximum latency", "no preference" if is_any else f"{record.max_latency} slots")
    return ""


@explains(ElementContainer)
def _container(record: ElementContainer, fields: Meanings) -> str:
    if record.elements:
        read_elements(fields.inside("remaining octets"))
    return f"map {record.map_id}"
