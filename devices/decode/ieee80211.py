"""IEEE 802.11 management frames as Wi-Fi Aware uses them: beacons, Authentication and Action frames.

What is inside is read by the layers `elements`, `pasn` and `nan`. Encrypted bodies are shown, not opened.
"""

from devices.decode.elements import read_elements
from devices.decode.fields import TracedReader
from devices.decode.layers import layer
from devices.decode.nan import read_attributes
from devices.decode.pasn import read_authentication
from devices.decode.words import flags, named
from pairing.ieee80211.frames import Category, FrameFlags, ManagementFrame, Subtype
from pairing.ieee80211.protection import EXTENDED_IV
from pairing.nan.beacons import DISCOVERY_INTERVAL, SYNC_INTERVAL
from pairing.nan.frames import NAF_TYPE, SDF_TYPE, VENDOR_SPECIFIC_ACTION, NafSubtype
from pairing.nan.identifiers import BROADCAST, CLUSTER_ID_PREFIX, NAN_NETWORK_ID, NAN_OUI

HEADER = 24


def _guess(data: bytes) -> int:
    if len(data) < 2 or data[0] & 0x0F or data[1] & FrameFlags.HT_CONTROL:
        return 0
    if len(data) < HEADER:
        return 21 if data[:1] in (b"\x80", b"\xb0", b"\xd0") and not data[1] else 0
    if data[16:20] == CLUSTER_ID_PREFIX or data[16:22] == NAN_NETWORK_ID:
        return 98
    known = data[0] >> 4 in (Subtype.BEACON, Subtype.AUTHENTICATION, Subtype.ACTION)
    return 50 if known else 15


@layer("802.11", "IEEE 802.11 management frame", guess=_guess)
def read_frame(reader: TracedReader) -> None:
    """The 24-octet header without FCS, then the body."""
    header = reader.sub(min(HEADER, reader.remaining), "header")
    frame = ManagementFrame.read(header)
    _mean_header(header, frame)
    if frame.is_protected:
        _read_protected(reader)
        return
    match frame.subtype:
        case Subtype.BEACON:
            _read_beacon(reader)
        case Subtype.AUTHENTICATION:
            read_authentication(reader)
        case Subtype.ACTION:
            _read_action(reader)
        case _:
            reader.rest()


def _mean_header(header: TracedReader, frame: ManagementFrame) -> None:
    meanings = (
        f"management, {named(Subtype, frame.subtype)}",
        flags(FrameFlags, frame.flags),
        "",
        _receiver(frame.receiver),
        frame.transmitter.hex(":"),
        _bssid(frame.bssid),
        f"sequence number {frame.sequence_control >> 4}, fragment {frame.sequence_control & 15}",
    )
    for each, meaning in zip(header.fields, meanings, strict=True):
        each.meaning = meaning


def _receiver(octets: bytes) -> str:
    text = octets.hex(":")
    if octets == NAN_NETWORK_ID:
        return f"{text}, NAN network ID"
    return f"{text}, broadcast" if octets == BROADCAST else text


def _bssid(octets: bytes) -> str:
    text = octets.hex(":")
    if octets == NAN_NETWORK_ID:
        return f"{text}, NAN network ID"
    return f"{text}, NAN cluster ID" if octets.startswith(CLUSTER_ID_PREFIX) else text


def _read_protected(reader: TracedReader) -> None:
    with reader.group("CCMP or GCMP header") as group:
        low = reader.take(2, "packet number, low")
        reader.u8("reserved")
        key = reader.u8("key id")
        reader.mean(f"key {key >> 6}" + ("" if key & EXTENDED_IV else ", extended IV bit is missing"))
        high = reader.take(4, "packet number, high")
        group.meaning = f"packet number {int.from_bytes(low + high, 'little')}"
    reader.rest()
    reader.mean("encrypted body, ending in a tag of 8 octets (CCMP) or 16 (GCMP)")


def _read_beacon(reader: TracedReader) -> None:
    tsf = reader.u64le("timestamp")
    reader.mean(f"TSF {tsf} µs")
    interval = reader.u16le("beacon interval")
    kinds = {SYNC_INTERVAL: ", a sync beacon", DISCOVERY_INTERVAL: ", a discovery beacon"}
    reader.mean(f"{interval} TU{kinds.get(interval, '')}")
    reader.u16le("capability")
    read_elements(reader)


def _read_action(reader: TracedReader) -> None:
    category = reader.u8("category")
    reader.mean(named(Category, category))
    action = reader.u8("action")
    if category not in Category.__members__.values() or action != VENDOR_SPECIFIC_ACTION:
        reader.rest()
        return
    reader.mean("vendor specific")
    oui = reader.take(3, "OUI")
    if oui != NAN_OUI:
        reader.rest()
        return
    reader.mean("Wi-Fi Alliance")
    kind = reader.u8("OUI type")
    match kind:
        case 0x13:
            reader.mean("service discovery frame")
        case 0x18:
            reader.mean("NAN action frame")
            subtype = reader.u8("NAF subtype")
            reader.mean(named(NafSubtype, subtype))
    if kind in (SDF_TYPE, NAF_TYPE):
        read_attributes(reader)
    else:
        reader.rest()
