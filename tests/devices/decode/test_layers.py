"""Which layer bytes are taken for, and what the layers of Thread and DNS say; the values are those of recordings."""

import json
from pathlib import Path
from typing import Any

import pytest

from devices.decode.layers import decode, decode_as, layer_called, layers
from devices.errors import UsageError
from pairing.dnssd.messages import RESPONSE, Message, Question, Record, RecordType
from pairing.dnssd.names import host_name, instance_name, type_name
from pairing.errors import DecodeError
from tests.support.command_line import POST_9
from tests.support.decoded import named, octets, one

VECTORS = Path(__file__).parents[2] / "vectors"
DATASET = bytes.fromhex(POST_9)


def bonjour(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((VECTORS / "bonjour" / f"{name}.json").read_text())
    return document


RECORDS = [path.stem for path in sorted((VECTORS / "bonjour").glob("*.json")) if "txt" in json.loads(path.read_text())]


def test_dataset_is_taken_for_one_and_its_fields_are_shown() -> None:
    decoded = decode(DATASET)
    assert (decoded.layer.name, decoded.error, decoded.others) == ("dataset", None, ("tlvs",))
    assert octets(decoded.fields) == DATASET
    assert one(decoded, "NetworkName (3)").meaning == "GL-S20-new001"
    assert one(decoded, "PanId (1)").meaning == "0x250b"
    assert one(decoded, "verdict (active dataset)").meaning == "OpenThread accepts it"


def test_dataset_with_findings_names_their_rules() -> None:
    verdict = one(decode(DATASET[10:]), "verdict (active dataset)").meaning
    assert "missing-tlv" in verdict


def test_cut_dataset_is_shown_up_to_the_cut() -> None:
    decoded = decode(DATASET[:50])
    assert decoded.error is not None
    assert (decoded.layer.name, decoded.error.offset) == ("dataset", 45)
    assert "NetworkKey needs 16 bytes, 5 left" in decoded.error.reason
    assert one(decoded, "MeshLocalPrefix (7)").meaning == "fdb3:60c7:2874:da99::/64"


@pytest.mark.parametrize("name", [name for name in RECORDS if bonjour(name)["type"].startswith("_meshcop._udp")])
def test_txt_record_of_a_border_router_is_read_key_by_key(name: str) -> None:
    recorded = bonjour(name)
    data = bytes.fromhex(recorded["txt"])
    decoded = decode(data)
    assert (decoded.layer.name, decoded.error) == ("txt", None)
    assert octets(decoded.fields) == data
    assert [each.name for each in decoded.fields] == [f"string {key}" for key in recorded["order"]]
    for key, value in recorded["decoded"].items():
        string = one(decoded, f"string {key}")
        assert string.fields[3].octets.hex() == value["hex"]


def test_state_bitmap_in_a_txt_record_is_spelled_out() -> None:
    decoded = decode(bytes.fromhex(bonjour("otbr-2026-leader")["txt"]))
    bits = one(decoded, "bits")
    assert bits.number == 0x1FB1
    assert "role leader" in bits.meaning
    assert "connection mode pskc" in bits.meaning


def test_dns_answer_is_read_with_compressed_names_and_the_txt_of_a_border_router() -> None:
    instance = instance_name("Living Room", "_meshcop._udp")
    txt = bytes.fromhex(bonjour("otbr-2026-leader")["txt"])
    answers = (
        Record(type_name("_meshcop._udp"), RecordType.PTR, 4500, instance),
        Record(instance, RecordType.SRV, 120, b"\0\0\0\0\xc0\x06" + host_name("ot1"), cache_flush=True),
        Record(instance, RecordType.TXT, 4500, txt, cache_flush=True),
        Record(host_name("ot1"), RecordType.A, 120, bytes((192, 0, 2, 1)), cache_flush=True),
    )
    data = Message(flags=RESPONSE, answers=answers).encode()
    decoded = decode(data)
    assert (decoded.layer.name, decoded.error) == ("dns", None)
    assert octets(decoded.fields) == data
    assert [each.meaning for each in named(decoded, "answer")] == [
        "PTR _meshcop._udp.local.",
        "SRV Living Room._meshcop._udp.local.",
        "TXT Living Room._meshcop._udp.local.",
        "A ot1.local.",
    ]
    assert one(decoded, "target").meaning == "ot1.local."
    assert one(decoded, "port").number == 49158
    assert "role leader" in one(decoded, "bits").meaning
    assert [each.meaning for each in named(decoded, "data") if each.meaning] == ["192.0.2.1"]


def test_dns_question_says_that_a_unicast_answer_is_welcome() -> None:
    question = Question(type_name("_meshcop._udp"), RecordType.PTR, unicast=True)
    decoded = decode(Message(questions=(question,)).encode())
    assert decoded.layer.name == "dns"
    assert "QU" in one(decoded, "class").meaning


def test_meshcop_tlvs_are_read_in_their_extended_form() -> None:
    # COMM_PET's answer, then UDP Encapsulation as OpenThread sends it: always extended.
    data = bytes.fromhex("100101" + "0b021234" + "0a03616263" + "30ff0006f0bff0bf4401")
    decoded = decode(data)
    assert (decoded.layer.name, decoded.error) == ("tlvs", None)
    assert one(decoded, "State (16)").meaning == "accept"
    assert one(decoded, "CommissionerId (10)").meaning == "abc"
    assert one(decoded, "UdpEncapsulation (48)").meaning == "from port 61631 to 61631"
    assert one(decoded, "UDP payload").octets == b"\x44\x01"


def test_four_octets_may_be_a_state_bitmap() -> None:
    decoded = decode(bytes.fromhex("00000e31"))
    assert decoded.layer.name == "state-bitmap"
    assert "ephemeral key supported yes" in one(decoded, "bits").meaning


@pytest.mark.parametrize("data", [b"", b"\xff" * 6, bytes(5), b"\x0f"])
def test_bytes_of_no_layer_are_one_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(data)


def test_a_layer_can_be_forced() -> None:
    assert decode_as(layer_called("tlvs"), DATASET).error is None
    forced = decode_as(layer_called("dns"), DATASET)
    assert forced.error is not None


def test_an_unknown_layer_is_wrong_usage_and_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"known: .*dataset, dns"):
        layer_called("wifi")


def test_every_layer_has_a_title_and_a_name_of_its_own() -> None:
    assert list(layers()) == sorted({each.name for each in layers().values()})
    assert all(each.title for each in layers().values())
