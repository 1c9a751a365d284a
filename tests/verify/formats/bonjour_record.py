"""Vectors of one DNS-SD record: its TXT bytes, the value and meaning of each key, and what two real clients make of it.

Decoded from `txt`, encoded back from `order` and `decoded`; records of the agent that we publish like are encoded from
their meaning. The format is described in tests/vectors/bonjour/README.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from ipaddress import IPv6Network
from typing import Any

from pairing.dnssd.txt import TxtRecord
from pairing.thread.fields import Timestamp
from pairing.thread.home_assistant_view import NotDiscovered, discover
from pairing.thread.meshcop_txt import FIELD_NAMES, MeshCopTxt
from tests.verify.formats.bonjour_bitmaps import bitmap_from_meaning, otbr_api_answer
from tests.verify.mismatch import compare, compare_members

OWN_KIND = "otbr-2026-"
SERVICE = "_meshcop._udp.local."
"""The one type that both clients have an answer to."""


def _same(value: Any) -> Any:
    return value


def _timestamp_words(value: Timestamp) -> dict[str, object]:
    return {"seconds": value.seconds, "ticks": value.ticks, "authoritative": value.authoritative}


MEANINGS: Mapping[str, tuple[str, Callable[[Any], object], Callable[[Any], object]]] = {
    **dict.fromkeys(("rv", "tv", "nn", "dn", "vn", "mn"), ("text", _same, _same)),
    **dict.fromkeys(("pt", "sq"), ("number", _same, _same)),
    "bb": ("port", _same, _same),
    "omr": ("prefix", str, IPv6Network),
    "at": ("timestamp", _timestamp_words, lambda words: Timestamp(**words)),
    "sb": ("bitmap", lambda bitmap: bitmap.meaning(), bitmap_from_meaning),
}
"""Keys with a meaning beside their bytes: its member, our value in the file's words, and the way back."""


def recognises(document: object) -> bool:
    """Whether this is the vector of one record."""
    return isinstance(document, dict) and {"txt", "order", "decoded"} <= document.keys()


def check(document: dict[str, Any]) -> None:
    """Decode, encode, and ask both clients; raises Mismatch at the first member that differs."""
    rdata = bytes.fromhex(document["txt"])
    record = TxtRecord.decode(rdata)
    compare("order", document["order"], [key.decode("latin-1") for key in record.keys])
    compare("decoded", sorted(document["decoded"]), sorted(document["order"]))
    _check_decoded(document["decoded"], record)
    _check_encoding(document, rdata)
    asked = document.get("clients", {})
    if document["type"] == SERVICE or asked:
        compare("clients", sorted(asked), sorted(CLIENTS))
    for client, expected in asked.items():
        compare_members(f"clients.{client}", expected, CLIENTS[client](document["instance"], record))


def _check_decoded(decoded: Mapping[str, Mapping[str, Any]], record: TxtRecord) -> None:
    typed = MeshCopTxt.from_txt(record)
    for key, expected in decoded.items():
        value = record.get(key)
        compare(f"decoded.{key}.hex", expected["hex"], None if value is None else value.hex())
        if key in MEANINGS:
            member, words, _ = MEANINGS[key]
            meaning = typed.meaning(key)
            # Only for text does the format say that a value without meaning is null; elsewhere it may be left out.
            stated = expected[member] if meaning is not None or member == "text" else expected.get(member)
            compare(f"decoded.{key}.{member}", stated, None if meaning is None else words(meaning))


def _check_encoding(document: Mapping[str, Any], rdata: bytes) -> None:
    order, decoded = document["order"], document["decoded"]
    values = {key: None if decoded[key]["hex"] is None else bytes.fromhex(decoded[key]["hex"]) for key in order}
    record = TxtRecord(tuple((key.encode("latin-1"), value) for key, value in values.items()))
    compare("txt", rdata.hex(), record.encode().hex())
    if document.get("name", "").startswith(OWN_KIND):
        compare("txt", rdata.hex(), _from_meaning(decoded, record).encode(order).hex())


def _from_meaning(decoded: Mapping[str, Mapping[str, Any]], record: TxtRecord) -> MeshCopTxt:
    """A record built from the meaning alone; plain byte keys and values without meaning from their bytes."""
    plain = MeshCopTxt.from_txt(record)
    fields: dict[str, Any] = {}
    for key in decoded:
        meaning = plain.meaning(key)
        if meaning is not None and key in MEANINGS:
            member, _, value_of = MEANINGS[key]
            meaning = value_of(decoded[key][member])
        if meaning is not None:
            fields[FIELD_NAMES[key]] = meaning
    return MeshCopTxt(**fields, malformed=plain.malformed, unknown=plain.unknown)


def _home_assistant(instance: str, record: TxtRecord) -> dict[str, object]:
    view = discover(instance, record)
    return {"discovered": not isinstance(view, NotDiscovered), **asdict(view)}


def _otbr_api(_: str, record: TxtRecord) -> dict[str, object] | None:
    bitmap = record.get("sb")
    return None if bitmap is None else otbr_api_answer(bitmap)


CLIENTS: Mapping[str, Callable[[str, TxtRecord], dict[str, object] | None]] = {
    "homeassistant_2026_11": _home_assistant,
    "python_otbr_api_3_1_0_state_bitmap": _otbr_api,
}
