"""TCAT: what a Thread device advertises to be commissioned, and the TLVs inside the TLS channel.

Keys are shown: who has the bytes has them. Source: Thread 1.4 specification, chapter 13.
"""

from devices.decode.fields import TracedReader
from devices.decode.layers import layer, layer_called
from devices.decode.words import spelled
from pairing.errors import DecodeError
from pairing.thread.tcat.adverts import AdvertTlv, AdvertTlvType, DeviceStatus, LinkCapabilities, TcatAdvert
from pairing.thread.tcat.tlvs import TcatStatus, TcatTlv, TcatType, first_tlv, status_name, tcat_type_name
from pairing.thread.tlvs import EXTENDED

_KNOWN = frozenset(TcatType)
_APPLICATION_DATA = 23
_SIMULATED = {22: "certificate", 21: "close_notify", _APPLICATION_DATA: ""}
_LENGTHS = {22: range(64, 512), 21: range(2, 3), _APPLICATION_DATA: range(2, 2048)}
"""Of such records; a value that looks like one by chance has none of these."""
_RECORD_HEAD = 5
_PRINTABLE = range(0x20, 0x7F)


def _guess(data: bytes) -> int:
    """A dataset that is set is told by its looks, a status by its one byte; others are as other TLVs."""
    whole, first = 0, first_tlv(data)
    if first is not None and first.type == TcatType.SET_ACTIVE_DATASET:
        return min(99, 3 * layer_called("dataset").guess(first.value))
    rest = data
    while (each := first_tlv(rest)) is not None and each.complete:
        if each.type not in _KNOWN or (each.type == TcatType.STATUS and each.length != 1):
            return 0
        whole, rest = whole + 1, rest[each.size :]
    if not whole or rest or first is None:
        return 0
    is_status = first.type == TcatType.STATUS and first.value[0] in frozenset(TcatStatus)
    return 28 if is_status else 10


@layer("tcat", "TCAT TLVs", guess=_guess)
def read_tcat(reader: TracedReader) -> None:
    """TLVs up to the end, in either form of length."""
    while reader.remaining:
        kind = reader.peek(1)[0]
        with reader.group(f"{tcat_type_name(kind)} ({kind:02x})") as group:
            reader.u8("type")
            length = reader.u8("length")
            if length == EXTENDED:
                length = reader.u16be("extended length")
            value = reader.sub(length, "value")
            group.meaning = _read_value(value, kind)


def _read_value(reader: TracedReader, kind: int) -> str:
    data = reader.peek(reader.remaining)
    if kind == TcatType.STATUS and len(data) == 1:
        return spelled(status_name(data[0]).replace("-", "_").upper())
    if kind == TcatType.SET_ACTIVE_DATASET:
        try:
            layer_called("dataset").read(reader)
        except DecodeError as error:
            reader.rest()
            return f"not readable: {error.reason}"
        return "an Active Dataset"
    reader.rest()
    if data and all(each in _PRINTABLE for each in data):
        return data.decode("ascii")
    return f"{len(data)} bytes" if data else ""


def simulated_words(data: bytes) -> str:
    """What records in the clear say, which stand for TLS on virtual time; nothing where other bytes are in front."""
    said = []
    while len(data) >= _RECORD_HEAD and data[0] in _SIMULATED and data[1:3] == b"\0\0":
        kind, length = data[0], int.from_bytes(data[3:5], "big")
        if length not in _LENGTHS[kind]:
            return ""
        body, data = data[_RECORD_HEAD : _RECORD_HEAD + length], data[_RECORD_HEAD + length :]
        first = first_tlv(body) if kind == _APPLICATION_DATA else None
        if kind == _APPLICATION_DATA and (first is None or first.type not in _KNOWN):
            return ""
        said.append(_SIMULATED[kind] if first is None else _tlv_in_words(first.tlv))
    return f"TCAT {', '.join(said)}" if said else ""


def _tlv_in_words(tlv: TcatTlv) -> str:
    name = tcat_type_name(tlv.type)
    is_whole_status = tlv.type == TcatType.STATUS and len(tlv.value) == 1
    return f"{name} {status_name(tlv.value[0])}" if is_whole_status else name


def advert_words(service_data: bytes) -> str:
    """The service data behind the UUID, in words; what cannot be read says why."""
    try:
        advert = TcatAdvert.decode(service_data)
        return ", ".join((f"TCAT version {advert.version}", *(_tlv_words(each) for each in advert.tlvs)))
    except DecodeError as error:
        return f"{service_data.hex()}, no TCAT advert: {error.reason}"


def _tlv_words(tlv: AdvertTlv) -> str:
    match tlv.type:
        case AdvertTlvType.DEVICE_TYPE_AND_STATUS:
            status = DeviceStatus.decode(tlv.value)
            words = ["full Thread device" if status.full_thread_device else "minimal Thread device"]
            words += ["attached"] * status.attached
            if status.commissioned:
                words.append("commissioned")
            elif status.stores_active_dataset:
                words.append("part of a dataset")
            else:
                words.append("not commissioned")
            return ", ".join(words)
        case AdvertTlvType.BLE_LINK_CAPABILITIES:
            link = LinkCapabilities.decode(tlv.value)
            return " and ".join(["GATT"] * link.gatt_notifications + ["L2CAP"] * link.l2cap_direct) or "no link"
    name = AdvertTlvType(tlv.type).name if tlv.type in frozenset(AdvertTlvType) else f"type {tlv.type}"
    return f"{name.lower().replace('_', ' ')} {tlv.value.hex()}"
