"""Border agent records by meaning: the agent's order, lenient reading, and the habits of vendors."""

import json
from ipaddress import IPv6Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.dnssd.txt import TxtRecord
from pairing.errors import DecodeError, EncodeError
from pairing.thread.fields import Timestamp
from pairing.thread.meshcop_txt import AGENT_ORDER, FIELD_NAMES, MeshCopTxt, quirks
from pairing.thread.state_bitmap import StateBitmap

VECTORS = Path(__file__).parents[2] / "vectors" / "bonjour"


def vector(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def captured(name):
    return bytes.fromhex(vector(name)["txt"])


LEADER = MeshCopTxt(
    border_agent_id=bytes.fromhex("83f55b6ad0ff0a9cb6f6c4ee08292d9a"),
    record_version="1",
    state_bitmap=StateBitmap.decode(bytes.fromhex("00001fb1")),
    thread_version="1.4.0",
    extended_address=bytes.fromhex("4a29604a722abd44"),
    extended_pan_id=bytes.fromhex("5fcaa871f7fa090a"),
    network_name="OpenThread-398b",
    partition_id=0x5DF25881,
    active_timestamp=Timestamp(7),
    bbr_sequence_number=97,
    bbr_port=61631,
    domain_name="DefaultDomain",
    omr_prefix=IPv6Network("fdef:3b43:3e42:1::/64"),
    vendor_name="EmuVendor",
    model_name="EmuProduct",
)


def test_record_written_by_hand_has_the_bytes_of_the_captured_agent():
    assert LEADER.encode() == captured("otbr-2026-leader")


def test_captured_agent_reads_as_the_record_written_by_hand():
    assert MeshCopTxt.decode(captured("otbr-2026-leader")) == LEADER


@pytest.mark.parametrize("name", sorted(path.stem for path in VECTORS.glob("otbr-2026-*.json")))
def test_the_agents_records_keep_their_order_without_being_told(name):
    assert MeshCopTxt.decode(captured(name)).encode() == captured(name)


@pytest.mark.parametrize(
    "name", ["apple-homepod-d9d8", "google-nest-hub-abed", "nordic-tbr", "ha-0bbf-bad-utf8-vendor"]
)
def test_other_vendors_records_are_written_again_in_the_order_given(name):
    assert MeshCopTxt.decode(captured(name)).encode(vector(name)["order"]) == captured(name)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vn", b"\xff"),
        ("id", bytes(15)),
        ("xa", bytes(6)),
        ("sb", bytes(3)),
        ("at", bytes(9)),
        ("pt", b""),
        ("omr", b""),
        ("omr", b"\x40" + bytes(7)),
        ("omr", b"\x81" + bytes(17)),
        ("omr", b"\x3f" + bytes(7) + b"\x01"),
        ("bb", None),
    ],
)
def test_value_that_its_key_cannot_have_is_kept_as_bytes(key, value):
    record = MeshCopTxt.from_txt(TxtRecord.of([(key, value)]))

    assert record.meaning(key) is None
    assert record.malformed == ((key.encode(), value),)
    assert dict(record.items()) == {key: value}


def test_unknown_keys_are_kept_and_have_no_meaning():
    record = MeshCopTxt.from_txt(TxtRecord.of([("zz", b"\x01"), ("rv", b"1")]))

    assert record.unknown == ((b"zz", b"\x01"),)
    assert record.meaning("zz") is None
    assert record.encode() == b"\x04rv=1\x04zz=\x01"


def test_keys_are_read_whatever_their_case():
    assert MeshCopTxt.from_txt(TxtRecord.of([("NN", b"net")])).network_name == "net"


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_only_decode_error(rdata):
    try:
        record = MeshCopTxt.decode(rdata)
    except DecodeError:
        return
    assert MeshCopTxt.decode(record.encode()) == record


@given(st.lists(st.tuples(st.sampled_from(AGENT_ORDER), st.binary(max_size=20)), unique_by=lambda pair: pair[0]))
def test_no_value_of_a_known_key_is_lost(pairs):
    record = MeshCopTxt.from_txt(TxtRecord.of(pairs))

    assert dict(record.items()) == dict(pairs)
    assert record.encode([key for key, _ in pairs]) == TxtRecord.of(pairs).encode()


@pytest.mark.parametrize(
    "record",
    [
        MeshCopTxt(partition_id=1 << 32),
        MeshCopTxt(bbr_port=-1),
        MeshCopTxt(network_name="\ud800"),
        MeshCopTxt(model_name="m" * 253),
    ],
)
def test_meaning_without_a_form_on_the_wire_raises_encode_error(record):
    with pytest.raises(EncodeError):
        record.encode()


def test_wrong_length_written_by_a_caller_is_an_error_not_a_record():
    with pytest.raises(EncodeError, match="6 bytes, expected 8"):
        MeshCopTxt(extended_address=bytes(6)).encode()


def test_every_field_has_one_key():
    assert len(set(FIELD_NAMES.values())) == len(FIELD_NAMES) == len(AGENT_ORDER)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("apple-homepod-d9d8", {"dd-repeats-xa", "no-role-bits"}),
        ("google-nest-hub-abed", {"text-copies", "no-role-bits"}),
        ("nordic-tbr", {"no-record-version"}),
        ("otbr-2026-leader", set()),
    ],
)
def test_quirks_name_the_habits_of_captured_records(name, expected):
    assert {quirk.name for quirk in quirks(MeshCopTxt.decode(captured(name)))} == expected


def test_quirks_name_what_old_openthread_routers_did():
    padded = MeshCopTxt(record_version="1", border_agent_id=bytes(range(1, 9)) + bytes(8))
    renamed = MeshCopTxt(record_version="1", discriminator=bytes(range(1, 9)))

    assert [quirk.name for quirk in quirks(padded)] == ["id-is-padded-xa"]
    assert [quirk.name for quirk in quirks(renamed)] == ["dd-instead-of-xa"]
