"""DTLS and CoAP as trees: recorded handshakes of OpenThread and ot-commissioner, with the recording's own analysis."""

import json
from pathlib import Path
from typing import Any

import pytest

from devices.decode.layers import decode
from tests.support.decoded import leaves, named, octets, one

VECTORS = Path(__file__).parents[2] / "vectors" / "thread"


def recorded(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text())
    return document


HANDSHAKES = sorted(
    path.stem
    for path in VECTORS.glob("*.json")
    if isinstance(found := json.loads(path.read_text()), dict) and "datagrams" in found and "records" in found
)


def test_there_are_recorded_handshakes() -> None:
    assert HANDSHAKES


@pytest.mark.parametrize("name", HANDSHAKES)
def test_recorded_datagrams_read_whole_with_the_records_that_the_recording_lists(name: str) -> None:
    document = recorded(name)
    records: list[tuple[int, int, int]] = []
    messages: list[str] = []
    for datagram in document["datagrams"]:
        data = bytes.fromhex(datagram["hex"])
        decoded = decode(data)
        assert (decoded.layer.name, decoded.error) == ("dtls", None)
        assert octets(decoded.fields) == data
        assert [each.offset for each in leaves(decoded.fields)] == sorted(
            each.offset for each in leaves(decoded.fields)
        )
        for group in named(decoded, "record"):
            numbers = {each.name: each.number for each in group.fields}
            records.append((numbers["epoch"], numbers["sequence number"], numbers["length"]))  # type: ignore[arg-type]
        messages += [each.meaning.split(",")[0] for each in named(decoded, "handshake message")]
    assert records == [(each["epoch"], each["seq"], each["length"]) for each in document["records"]]
    listed = [
        part["msg"].replace("_", " ")
        for each in document["records"]
        for part in each.get("handshake", ())
        if "msg" in part
    ]
    assert messages == listed[: len(messages)]
    assert len(messages) >= 5  # both hellos, the server's two more, ClientKeyExchange


def test_client_hello_shows_its_random_suites_and_key_pairs() -> None:
    document = recorded(HANDSHAKES[0])
    hello = decode(bytes.fromhex(document["datagrams"][0]["hex"]))
    assert one(hello, "random").octets.hex() == document["client_random"]
    assert "ECJPAKE_WITH_AES_128_CCM_8" in one(hello, "cipher_suites").meaning
    assert len(named(hello, "ECJPAKEKeyKP")) == 2
    assert all(len(each.octets) == 65 for each in named(hello, "public key"))


@pytest.mark.parametrize(
    ("data", "said", "inside"),
    [
        # COMM_PET of ot-commissioner in its form: CON POST c/cp with a Commissioner ID.
        ("4802 1234 0102030405060708 b163 026370 ff 0a03616263", "CON 0.02 mid 4660 c/cp", "CommissionerId (10)"),
        # Its answer: NON 2.04 with State accept, id and session.
        ("5844 1235 0102030405060708 ff 100101 0a03616263 0b02abcd", "NON 2.04 mid 4661", "State (16)"),
        ("6000 1234", "ACK 0.00 mid 4660", ""),
    ],
)
def test_coap_messages_of_meshcop_show_path_and_tlvs(data: str, said: str, inside: str) -> None:
    message = bytes.fromhex(data.replace(" ", ""))
    decoded = decode(message)
    assert (decoded.layer.name, decoded.error) == ("coap", None)
    assert octets(decoded.fields) == message
    assert one(decoded, "CoAP").meaning == said
    assert not inside or len(named(decoded, inside)) == 1


def test_alert_in_clear_is_named() -> None:
    decoded = decode(bytes.fromhex("15fefd00000000000000050002" + "0214"))
    assert one(decoded, "level").meaning == "fatal"
    assert one(decoded, "description").meaning == "bad_record_mac"
