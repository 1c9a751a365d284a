"""Vectors of TCAT connections: our device, made from `device`, answers every request byte for byte."""

from pathlib import Path
from typing import Any

from pairing.errors import DecodeError
from pairing.thread.tcat.tlvs import TcatType, first_tlv
from pairing.thread.tlvs import split_tlvs
from tests.verify.mismatch import Mismatch, compare, compare_members
from tests.verify.tcat_device import Connection
from tests.verify.tcat_words import certificate_rows, dataset_words, decoded


def recognises(document: object) -> bool:
    """Whether this is one connection with a device."""
    return isinstance(document, dict) and {"exchanges", "device", "commissionerCertificate"} <= document.keys()


def check_beside(document: dict[str, Any], folder: Path | None) -> None:
    """Send every request to our device; raises Mismatch."""
    rows = certificate_rows(folder)
    connection = Connection(document["device"], rows, document["commissionerCertificate"])
    for index, exchange in enumerate(document["exchanges"]):
        _check(f"exchanges[{index}]", exchange, connection)
    connection.draws.check_used()


def _check(member: str, exchange: dict[str, Any], connection: Connection) -> None:
    request = bytes.fromhex(exchange["request"])
    compare_members(f"{member}.requestDecoded", exchange["requestDecoded"], _words(request, request))
    answers = connection.send(request)
    got = b"".join(answers) if answers else None
    reply = None if exchange["reply"] is None else bytes.fromhex(exchange["reply"])
    if exchange.get("live") is True and reply is not None and got is not None:
        compare(f"{member}.reply", _shape(reply), _shape(got))
        got = reply
    compare(f"{member}.reply", exchange["reply"], None if got is None else got.hex())
    compare_members(f"{member}.replyDecoded", exchange["replyDecoded"], None if got is None else _words(got, request))


def _words(data: bytes, request: bytes) -> dict[str, object] | None:
    """The decoded TLV, with its dataset where it carries one."""
    words, first = decoded(data), first_tlv(data)
    if words is None or first is None:
        return words
    asked = request[0]
    is_read = first.type == TcatType.PAYLOAD and asked == TcatType.GET_ACTIVE_DATASET
    if first.type == TcatType.SET_ACTIVE_DATASET or is_read:
        try:
            words["dataset"] = dataset_words(first.value)
        except DecodeError:
            return words
    return words


def _shape(reply: bytes) -> list[tuple[int, int]]:
    """Types and lengths of what a payload holds."""
    first = first_tlv(reply)
    if first is None or not first.complete:
        raise Mismatch("reply", "a whole TLV", reply.hex())
    return [(first.type, first.length), *((tlv.type, len(tlv.value)) for tlv in split_tlvs(first.value))]
