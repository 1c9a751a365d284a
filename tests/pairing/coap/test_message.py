"""CoAP messages: recorded ones, aiocoap's verdict, round trips, and octets that are no message."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.coap.message import CoapCode, CoapMessage, CoapOption, CoapType, OptionNumber, code_text, path_options
from pairing.errors import DecodeError, EncodeError

VECTORS = Path(__file__).parents[2] / "vectors" / "thread"


def recorded() -> list[tuple[bytes, dict[str, Any]]]:
    """Every message of the captures: its octets, and what was decoded of it."""
    found = []
    for path in sorted(VECTORS.glob("*.json")):
        document = json.loads(path.read_text())
        if isinstance(document, dict):
            records = document.get("records", []) + document.get("inner_joiner_dtls", {}).get("records", [])
            found += [(bytes.fromhex(each["plaintext"]), each["coap"]) for each in records if "coap" in each]
    return found


def test_there_are_recorded_messages() -> None:
    assert len(recorded()) > 100


@pytest.mark.parametrize(("octets", "decoded"), recorded())
def test_recorded_message_decodes_and_encodes(octets: bytes, decoded: dict[str, Any]) -> None:
    message = CoapMessage.decode(octets)
    assert message.encode() == octets
    assert message.message_type.name == decoded["type"]
    assert code_text(message.code) == decoded["code"]
    assert message.message_id == decoded["mid"]
    assert message.token.hex() == decoded["token"]
    assert message.path == decoded["path"]
    assert message.payload.hex() == decoded["payload_hex"]
    assert list(message.options_beside([OptionNumber.URI_PATH])) == decoded["other_options"]


options = st.builds(CoapOption, st.integers(0, 0xFFFF), st.binary(max_size=20))
long_options = st.builds(CoapOption, st.sampled_from([13, 300, 0xFFFF]), st.binary(min_size=260, max_size=300))
messages = st.builds(
    CoapMessage,
    st.sampled_from(CoapType),
    st.integers(1, 0xFF),
    st.integers(0, 0xFFFF),
    st.binary(max_size=8),
    st.lists(options | long_options, max_size=5).map(lambda given: tuple(sorted(given, key=lambda each: each.number))),
    st.binary(max_size=50),
)
empty_messages = st.builds(CoapMessage, st.sampled_from(CoapType), st.just(0), st.integers(0, 0xFFFF))


@given(messages | empty_messages)
def test_message_round_trips(message: CoapMessage) -> None:
    assert CoapMessage.decode(message.encode()) == message


@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda rest: b"\x41\x02\x00\x01\x07" + rest))
def test_arbitrary_octets_are_a_message_or_a_decode_error(data: bytes) -> None:
    try:
        message = CoapMessage.decode(data)
    except DecodeError:
        return
    assert message.encode() == data


@given(messages)
def test_aiocoap_reads_and_writes_the_same(message: CoapMessage) -> None:
    aiocoap = pytest.importorskip("aiocoap", reason="needs aiocoap")
    # Options whose value aiocoap re-encodes by its type (numbers without leading zeros) are not comparable as octets.
    if any(option.number in TYPED for option in message.options):
        return
    octets = message.encode()
    theirs = aiocoap.Message.decode(octets)
    if hasattr(theirs, "direction"):  # newer releases refuse to encode what they have decoded
        theirs.direction = importlib.import_module("aiocoap.message").Direction.OUTGOING
    assert theirs.encode() == octets
    assert (int(theirs.mtype), int(theirs.code), theirs.mid) == (message.message_type, message.code, message.message_id)
    assert (theirs.token, theirs.payload) == (message.token, message.payload)
    theirs_options = [CoapOption(int(each.number), each.encode()) for each in theirs.opt.option_list()]
    assert theirs_options == list(message.options)


def _typed() -> frozenset[int]:
    try:
        from aiocoap.numbers.optionnumbers import OptionNumber as Theirs
        from aiocoap.optiontypes import OpaqueOption
    except ImportError:
        return frozenset()
    return frozenset(number for number in range(0x10000) if Theirs(number).format is not OpaqueOption)


TYPED = _typed()


def test_options_go_out_in_the_order_of_their_numbers() -> None:
    given_options = (CoapOption(60, b"z"), *path_options("c/ag"), CoapOption(3, b"h"))
    message = CoapMessage(CoapType.CON, CoapCode.POST, 1, options=given_options)
    read = CoapMessage.decode(message.encode())
    assert [option.number for option in read.options] == [3, 11, 11, 60]
    assert read.path == "c/ag"


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("", "header"),
        ("80000001", "version"),
        ("49020001", "token"),
        ("48020001", "token needs 8"),
        ("400200", "message ID"),
        ("4000000100", "goes on"),
        ("4100000100", "goes on"),
        ("40020001ff", "without a payload"),
        ("40020001f0", "delta 15"),
        ("400200010f", "length 15"),
        ("40020001e0ffffe0ffff", "option number"),
        ("40020001b5", "option value"),
        ("40020001d0", "option delta"),
    ],
)
def test_what_is_no_message_is_named(octets: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        CoapMessage.decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "message",
    [
        CoapMessage(CoapType.CON, CoapCode.POST, 1, bytes(9)),
        CoapMessage(CoapType.CON, CoapCode.POST, 0x10000),
        CoapMessage(CoapType.CON, 0x100, 1),
        CoapMessage(CoapType.ACK, CoapCode.EMPTY, 1, b"token"),
        CoapMessage(CoapType.CON, CoapCode.POST, 1, options=(CoapOption(0x10000),)),
        CoapMessage(CoapType.CON, CoapCode.POST, 1, options=(CoapOption(1, bytes(0x10000)),)),
    ],
)
def test_what_has_no_form_on_the_wire_is_an_encode_error(message: CoapMessage) -> None:
    with pytest.raises(EncodeError):
        message.encode()


def test_payload_is_not_shown() -> None:
    message = CoapMessage(CoapType.CON, CoapCode.POST, 1, payload=b"network key")
    assert "network key" not in repr(message) + str(message)
