"""TCAT's TLVs and adverts, and TLS in the values of GATT; bytes are those that OpenThread's device and client sent."""

import json
from pathlib import Path
from typing import Any

from devices.decode.hci import hci_summary
from devices.decode.layers import decode, decode_as, layer_called
from tests.support.decoded import named, octets, one
from tests.support.tcat import DATASET

VECTORS = Path(__file__).parents[2] / "vectors" / "tcat"


def vector(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text())
    return document


def test_every_request_and_reply_is_read_whole() -> None:
    for path in VECTORS.glob("exchange-*.json"):
        for each in vector(path.stem)["exchanges"]:
            for text in (each["request"], each["reply"]):
                decoded = decode_as(layer_called("tcat"), bytes.fromhex(text or ""))
                assert decoded.error is None, text
                assert octets(decoded.fields) == bytes.fromhex(text or "")


def test_a_dataset_that_is_set_is_recognised_and_shown() -> None:
    value = DATASET.encode()
    decoded = decode(bytes((0x20, len(value))) + value)
    assert (decoded.layer.name, decoded.error) == ("tcat", None)
    assert one(decoded, "set-active-dataset (20)").meaning == "an Active Dataset"
    assert one(decoded, "NetworkName (3)").meaning == "OpenThread-c64e"


def test_a_dataset_that_cannot_be_read_says_why() -> None:
    decoded = decode_as(layer_called("tcat"), bytes.fromhex("2003030841"))
    assert decoded.error is None
    assert "not readable" in one(decoded, "set-active-dataset (20)").meaning


def test_a_status_is_told_in_words() -> None:
    assert one(decode_as(layer_called("tcat"), bytes.fromhex("010105")), "status (01)").meaning == "busy"
    assert one(decode_as(layer_called("tcat"), bytes.fromhex("0101ee")), "status (01)").meaning == "unknown"


def test_an_advert_says_what_it_is_and_where_it_stands() -> None:
    told = {"fbff52518041e0": "not commissioned", "fbff52518041fc": "attached, commissioned"}
    for data, words in told.items():
        structure = bytes.fromhex(f"02010608{'16' + data}")
        (found,) = named(decode(structure), "service data")
        assert found.meaning == f"fffb: TCAT version 5, GATT, full Thread device, {words}"
    (broken,) = named(decode(bytes.fromhex("0201060516fbff5251")), "service data")
    assert "no TCAT advert" in broken.meaning


def test_records_of_tls_are_named_as_far_as_they_are_in_clear() -> None:
    records = [bytes.fromhex(each["datagram"]) for each in vector("tls")["records"]]
    hello = decode(records[0])
    assert (hello.layer.name, hello.error) == ("tls", None)
    assert [each.meaning for each in named(hello, "record")] == ["handshake: Client Hello"]
    for each in records:
        if each[0] == 23 and int.from_bytes(each[3:5], "big") == len(each) - 5:
            assert [field.meaning for field in named(decode(each), "record")] == ["application data"]


def test_a_write_that_begins_a_record_says_what_it_begins() -> None:
    hello = bytes.fromhex(vector("tls")["records"][0]["datagram"])[:20]
    for value, words in (
        (hello, "ATT Write Request 0x0010 TLS Client Hello (20 bytes)"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "ATT Write Request 0x0010 TLS alert (7 bytes)"),
        (
            bytes.fromhex("170000000208001700000003010106"),
            "ATT Write Request 0x0010 TCAT get-network-name, status undefined (15 bytes)",
        ),
        (bytes.fromhex("15000000020000"), "ATT Write Request 0x0010 TCAT close_notify (7 bytes)"),
        (bytes.fromhex("1500000000000000"), "ATT Write Request 0x0010 1500000000000000"),
        (bytes.fromhex("17000000025500"), "ATT Write Request 0x0010 17000000025500"),
        (b"\x15\x03\x03", "ATT Write Request 0x0010 150303"),
    ):
        att = b"\x12\x10\x00" + value
        l2cap = len(att).to_bytes(2, "little") + b"\x04\x00" + att
        assert hci_summary(b"\x02\x01\x20" + len(l2cap).to_bytes(2, "little") + l2cap) == words
