"""Operational Datasets: every field decoded, every byte kept."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_otbr_api import tlv_parser

from pairing.errors import DecodeError, EncodeError
from pairing.thread.dataset import CREATION_ORDER, Dataset, bytes_from_hex, prefix_text
from pairing.thread.dataset_rules import openthread_verdict
from pairing.thread.fields import ALL_CHANNELS, Channel, ChannelMask, ChannelMaskEntry, SecurityPolicy, Timestamp
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs, split_tlvs

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "thread" / "datasets.json").read_text())["vectors"]
REPORTED = VECTORS[0]["hex"]
"""The dataset that the developer report names: 104 bytes, TLVs not in ascending order."""

TLVS = st.lists(
    st.builds(Tlv, st.integers(0, 255), st.binary(max_size=20)), max_size=12, unique_by=lambda tlv: tlv.type
)
STRATEGIES: dict[str, st.SearchStrategy[object]] = {
    "active_timestamp": st.builds(Timestamp, st.integers(0, 2**48 - 1), st.integers(0, 2**15 - 1), st.booleans()),
    "pending_timestamp": st.builds(Timestamp, st.integers(0, 2**48 - 1), st.integers(0, 2**15 - 1), st.booleans()),
    "channel": st.builds(Channel, st.integers(0, 255), st.integers(0, 65535)),
    "wakeup_channel": st.builds(Channel, st.integers(0, 255), st.integers(0, 65535)),
    "channel_mask": st.builds(
        lambda entries: ChannelMask(tuple(entries)),
        st.lists(st.builds(ChannelMaskEntry, st.integers(0, 255), st.binary(max_size=8)), max_size=4),
    ),
    "ext_pan_id": st.binary(min_size=8, max_size=8),
    "mesh_local_prefix": st.binary(min_size=8, max_size=8),
    "network_key": st.binary(min_size=16, max_size=16),
    "network_name": st.text(st.characters(exclude_categories=["Cs"]), max_size=16),
    "pan_id": st.integers(0, 65535),
    "pskc": st.binary(min_size=16, max_size=16),
    "security_policy": st.builds(SecurityPolicy, st.integers(0, 65535), st.binary(min_size=1, max_size=2)),
    "delay_timer_ms": st.integers(0, 2**32 - 1),
}
FIELDS = st.fixed_dictionaries({}, optional=STRATEGIES)


def test_reported_dataset_shows_every_field() -> None:
    assert Dataset.from_hex(REPORTED).for_display() == [
        ("Total", "104 bytes, 10 TLVs"),
        ("Network Name", "GL-S20-new001"),
        ("Channel", "16 (page 0)"),
        ("PAN ID", "0x250b"),
        ("Extended PAN ID", "3c66f0dc9ef53f1c"),
        ("Mesh-Local Prefix", "fdb3:60c7:2874:da99::/64"),
        ("Network Key", "4094dce45388fd3d3426e992cbf0697b"),
        ("PSKc", "6c9f919a4da9b213764fc83f84938108"),
        ("Active Timestamp", "seconds 1, ticks 0, not authoritative"),
        ("Channel Mask", "001fffe0 (page 0) = channels 11-26; OpenThread 0x07fff800"),
        ("Security Policy", "672 h, 672 onrc 0"),
    ]


def test_reported_dataset_decodes_to_records() -> None:
    dataset = Dataset.from_hex(REPORTED)
    assert dataset.active_timestamp == Timestamp(1, 0, False)
    assert dataset.channel == Channel(0, 16)
    assert dataset.channel_mask == ALL_CHANNELS
    assert dataset.ext_pan_id == bytes.fromhex("3c66f0dc9ef53f1c")
    assert dataset.mesh_local_prefix == bytes.fromhex("fdb360c72874da99")
    assert dataset.network_key == bytes.fromhex("4094dce45388fd3d3426e992cbf0697b")
    assert dataset.network_name == "GL-S20-new001"
    assert dataset.pan_id == 0x250B
    assert dataset.pskc == bytes.fromhex("6c9f919a4da9b213764fc83f84938108")
    assert dataset.security_policy == SecurityPolicy(672, b"\xf7\xf8")
    assert (dataset.pending_timestamp, dataset.delay_timer_ms, dataset.wakeup_channel) == (None, None, None)
    assert dataset.is_complete
    assert dataset.length == 104


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_python_otbr_api_reads_the_same_dataset(vector: dict[str, str]) -> None:
    dataset = Dataset.from_hex(vector["hex"])
    theirs = tlv_parser.parse_tlv(dataset.hex())
    assert [(int(tag), item.data) for tag, item in theirs.items()] == [(tlv.type, tlv.value) for tlv in dataset.tlvs]
    timestamp = theirs[tlv_parser.MeshcopTLVType.ACTIVETIMESTAMP]
    assert dataset.active_timestamp == (timestamp.seconds, timestamp.ticks, timestamp.authoritative)
    assert dataset.network_name == theirs[tlv_parser.MeshcopTLVType.NETWORKNAME].name
    assert dataset.channel is not None
    assert dataset.channel.channel == theirs[tlv_parser.MeshcopTLVType.CHANNEL].channel


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_openthread_prints_what_our_fields_say(vector: dict[str, list[str]]) -> None:
    dataset = Dataset.from_hex(str(vector["hex"]))
    printed = dict(line.split(": ", 1) for line in vector["openthread_text"])
    channel, mask, policy, stamp = (
        dataset.channel,
        dataset.channel_mask,
        dataset.security_policy,
        dataset.active_timestamp,
    )
    assert channel is not None
    assert mask is not None
    assert policy is not None
    assert stamp is not None
    assert printed["Channel"] == str(channel.channel)
    assert printed["Channel Mask"] == mask.openthread_text
    assert printed["Security Policy"] == policy.openthread_text
    assert printed["Active Timestamp"] == str(stamp.seconds)
    assert printed["Mesh Local Prefix"] == prefix_text(dataset.mesh_local_prefix or b"")


@given(TLVS)
def test_any_tlvs_come_back_byte_for_byte(tlvs: list[Tlv]) -> None:
    data = join_tlvs(tlvs)
    dataset = decoded_or_none(data)
    if dataset is not None:
        assert dataset.encode() == data
        assert dataset.hex() == data.hex()
        assert dataset.tlvs == tuple(tlvs)


@given(st.binary(max_size=60))
def test_arbitrary_bytes_raise_only_decode_error(data: bytes) -> None:
    dataset = decoded_or_none(data)
    assert dataset is None or dataset.encode() == data


def decoded_or_none(data: bytes) -> Dataset | None:
    """The dataset, or None for a DecodeError that points into the bytes; any other error passes."""
    try:
        return Dataset.decode(data)
    except DecodeError as error:
        return None if 0 <= error.offset <= len(data) else pytest.fail(f"offset {error.offset} of {len(data)}")


@given(FIELDS)
def test_fields_survive_encoding(fields: dict[str, object]) -> None:
    dataset = Dataset.of(**fields)
    again = Dataset.decode(dataset.encode())
    assert again == dataset
    for name in STRATEGIES:
        assert getattr(dataset, name) == getattr(again, name) == fields.get(name)


@given(FIELDS)
def test_new_dataset_is_in_openthreads_creation_order(fields: dict[str, object]) -> None:
    types = [tlv.type for tlv in Dataset.of(**fields).tlvs]
    assert types == [tlv_type for tlv_type in CREATION_ORDER if tlv_type in types]


@given(st.text(max_size=60))
def test_text_is_hexadecimal_or_refused_without_repeating_it(text: str) -> None:
    try:
        expected = bytes.fromhex(text)
    except ValueError:
        with pytest.raises(DecodeError) as caught:
            bytes_from_hex(text)
        assert not any(line in str(caught.value) for line in [text] if len(text) > 20)
    else:
        assert bytes_from_hex(text) == expected


@pytest.mark.parametrize(("text", "offset"), [("0e0", 1), ("0e0x", 1), ("zz", 0), ("0e 08 g0", 2)])
def test_bad_hexadecimal_text_names_the_byte(text: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        Dataset.from_hex(text)
    assert caught.value.offset == offset


def test_upper_case_and_white_space_are_taken() -> None:
    spaced = "\n".join(REPORTED.upper()[place : place + 32] for place in range(0, len(REPORTED), 32))
    assert Dataset.from_hex(spaced).hex() == REPORTED


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        ("00", 0),
        ("0003000010" + "0e", 5),
        ("0003000010" + "0e0800", 7),
        ("05ff0010" + "00" * 16, 1),
        ("01020001" + "01020001", 4),
        ("f10100" + "f10100", 3),
        ("00020010", 2),
        ("0e07" + "00" * 7, 2),
        ("34030000ff", 2),
        ("0c0202a0", 2),
        ("0303" + "61ff62", 3),
        ("3501" + "00", 2),
        ("3506" + "0002aabb" + "0001", 8),
    ],
)
def test_what_cannot_be_read_names_its_offset(data: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        Dataset.from_hex(data)
    assert caught.value.offset == offset


def test_longer_values_pass_and_keep_their_bytes() -> None:
    key = bytes(range(17))
    dataset = Dataset.from_tlvs([Tlv(0, b"\x00\x00\x10\xaa"), Tlv(5, key), Tlv(12, b"\x02\xa0\xf7\xf8\x99")])
    assert (dataset.channel, dataset.network_key) == (Channel(0, 16), key[:16])
    assert dataset.security_policy == SecurityPolicy(672, b"\xf7\xf8")
    assert dataset.value(5) == key
    assert dataset.hex() == "0004000010aa" + "0511" + key.hex() + "0c0502a0f7f899"


def test_unknown_tlvs_are_kept_in_place() -> None:
    dataset = Dataset.from_hex("f10176" + "0003000010" + "f200")
    assert dataset.unknown == (Tlv(0xF1, b"v"), Tlv(0xF2, b""))
    assert dataset.hex() == "f10176" + "0003000010" + "f200"
    assert dataset.for_display()[-2:] == [("Unknown TLV 241 (0xf1)", "76"), ("Unknown TLV 242 (0xf2)", "")]


def test_update_removes_the_old_tlv_and_appends_the_new() -> None:
    dataset = Dataset.from_hex(REPORTED).with_tlvs(
        [Tlv(0, b"\x00\x00\x14"), Tlv(14, bytes.fromhex("0000000000020000"))]
    )
    assert [tlv.type for tlv in dataset.tlvs] == [53, 2, 7, 5, 3, 1, 4, 12, 0, 14]
    assert dataset.channel == Channel(0, 20)
    assert dataset.active_timestamp == Timestamp(2)


def test_update_with_a_dataset_leaves_both_as_they_were() -> None:
    old, changes = Dataset.from_hex(REPORTED), Dataset.of(pan_id=1)
    new = old.with_tlvs(changes)
    assert (old.pan_id, changes.pan_id, new.pan_id) == (0x250B, 1, 1)
    assert old.hex() == REPORTED
    assert new.channel == old.channel


@given(TLVS, TLVS)
def test_update_equals_the_definition(before: list[Tlv], after: list[Tlv]) -> None:
    try:
        old, changes = Dataset.from_tlvs(before), Dataset.from_tlvs(after)
    except DecodeError:
        return
    replaced = {tlv.type for tlv in after}
    assert old.with_tlvs(changes).tlvs == (*(tlv for tlv in before if tlv.type not in replaced), *after)


def test_without_removes_only_the_named_types() -> None:
    dataset = Dataset.from_hex(VECTORS[8]["hex"]).without(51, 52, 200)
    assert dataset.hex() == VECTORS[8]["hex"][: -2 * 16]
    assert dataset.pending_timestamp is None
    assert MeshCopTlvType.DELAY_TIMER not in dataset
    assert MeshCopTlvType.CHANNEL in dataset


def test_missing_lists_what_each_kind_demands() -> None:
    dataset = Dataset.from_hex(REPORTED).without(4, 53)
    assert dataset.missing("active") == (MeshCopTlvType.CHANNEL_MASK, MeshCopTlvType.PSKC)
    assert dataset.missing("pending")[-2:] == (MeshCopTlvType.PENDING_TIMESTAMP, MeshCopTlvType.DELAY_TIMER)
    assert not dataset.is_complete


def test_equal_means_the_same_bytes_and_same_tlvs_any_order() -> None:
    one = Dataset.from_hex("0003000010" + "01020001")
    other = Dataset.from_hex("01020001" + "0003000010")
    assert one != other
    assert one.same_tlvs(other)
    assert one == Dataset.of(channel=Channel(0, 16), pan_id=1)
    assert len({one, other, Dataset.of(channel=Channel(0, 16), pan_id=1)}) == 2
    assert one != "0003000010"


def test_keys_stay_out_of_the_repr() -> None:
    shown = repr(Dataset.from_hex(REPORTED))
    assert "4094dce4" not in shown
    assert "6c9f919a" not in shown
    assert "NetworkName=474c2d" in shown


def test_decode_errors_do_not_repeat_keys() -> None:
    with pytest.raises(DecodeError) as caught:
        Dataset.from_hex("050f" + "6b" * 15)
    assert "6b6b" not in str(caught.value)


def test_dataset_cannot_be_changed() -> None:
    dataset = Dataset.of(pan_id=1)
    with pytest.raises((AttributeError, TypeError)):
        dataset.pan_id = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        dataset._encoded = {}  # type: ignore[misc]
    assert dataset == Dataset.of(pan_id=1)


@pytest.mark.parametrize(
    "fields",
    [
        {"ext_pan_id": bytes(7)},
        {"mesh_local_prefix": bytes(9)},
        {"network_key": bytes(15)},
        {"pskc": b""},
        {"pan_id": 65536},
        {"delay_timer_ms": -1},
        {"active_timestamp": Timestamp(1 << 48)},
        {"active_timestamp": Timestamp(1, 1 << 15)},
        {"active_timestamp": Timestamp(-1)},
        {"channel": Channel(256, 1)},
        {"channel": Channel(0, 65536)},
        {"channel_mask": ChannelMask((ChannelMaskEntry(256, b""),))},
        {"channel_mask": ChannelMask((ChannelMaskEntry(0, bytes(255)),))},
        {"security_policy": SecurityPolicy(65536, b"\xf7")},
        {"security_policy": SecurityPolicy(672, b"")},
        {"security_policy": SecurityPolicy(672, bytes(3))},
        {"network_name": "x" * 255},
        {"network_name": "\ud800"},
    ],
)
def test_field_without_a_form_on_the_wire_raises_encode_error(fields: dict[str, object]) -> None:
    with pytest.raises(EncodeError):
        Dataset.of(**fields)


@given(st.binary(max_size=60))
def test_whatever_openthread_accepts_decodes(data: bytes) -> None:
    if openthread_verdict(data).accepted:
        assert Dataset.decode(data).encode() == data


@given(st.binary(max_size=16))
def test_a_name_that_openthread_accepts_decodes(name: bytes) -> None:
    data = Tlv(3, name).encode()
    if openthread_verdict(data).accepted:
        assert Dataset.decode(data).encode() == data
        assert split_tlvs(data) == Dataset.decode(data).tlvs


def test_overlong_utf8_is_read_as_openthread_does_and_kept() -> None:
    dataset = Dataset.from_hex("0302c080")
    assert dataset.hex() == "0302c080"
    assert dataset.network_name == "\ufffd\ufffd"
