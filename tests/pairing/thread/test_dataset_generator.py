"""New datasets: valid, drawn from the entropy handed in, and from a home file's table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import Entropy
from pairing.errors import EncodeError
from pairing.thread.dataset import Dataset
from pairing.thread.dataset_forms import DatasetFieldError
from pairing.thread.dataset_generator import from_fields, generate
from pairing.thread.dataset_rules import strict_findings
from pairing.thread.fields import ALL_CHANNELS, Channel, ChannelMask, SecurityPolicy, Timestamp
from tests.support.thread_network import counting_entropy

KEY = "00112233445566778899aabbccddeeff"


@given(st.binary(min_size=53, max_size=53))
def test_whatever_chance_gives_the_dataset_is_valid(drawn: bytes) -> None:
    assert strict_findings(generate(stream(drawn)).encode()) == ()


@pytest.mark.parametrize("byte", [b"\x00", b"\xff"])
def test_extreme_chance_gives_a_valid_dataset(byte: bytes) -> None:
    dataset = generate(lambda length: byte * length)
    assert strict_findings(dataset.encode()) == ()
    assert dataset.network_name == f"OpenThread-{dataset.pan_id:04x}"


def stream(data: bytes) -> Entropy:
    """Entropy that hands out these bytes once."""
    place = 0

    def draw(length: int) -> bytes:
        nonlocal place
        place += length
        assert place <= len(data)
        return data[place - length : place]

    return draw


def test_new_dataset_is_as_current_stacks_create_it() -> None:
    dataset = generate(counting_entropy())
    assert [tlv.type for tlv in dataset.tlvs] == [14, 0, 74, 53, 2, 7, 5, 3, 1, 4, 12]
    assert dataset.active_timestamp == Timestamp(1)
    assert dataset.channel_mask == ALL_CHANNELS
    assert dataset.security_policy == SecurityPolicy(672, b"\xf7\xf8")


def test_same_entropy_gives_the_same_dataset_and_other_another() -> None:
    assert generate(counting_entropy(1)) == generate(counting_entropy(1))
    assert generate(counting_entropy(1)) != generate(counting_entropy(2))


def test_naming_one_field_leaves_the_drawn_ones_alone() -> None:
    drawn = generate(counting_entropy())
    named = generate(counting_entropy(), channel=21, network_key=bytes(16), pan_id=7, network_name="Home")
    assert (named.channel, named.network_key, named.pan_id) == (Channel(0, 21), bytes(16), 7)
    assert named.without(0, 5, 1, 3) == drawn.without(0, 5, 1, 3)


def test_passphrase_becomes_the_pskc() -> None:
    dataset = generate(
        counting_entropy(),
        passphrase="12SECRETPASSWORD34",
        network_name="Test Network",
        ext_pan_id=bytes.fromhex("0001020304050607"),
    )
    assert dataset.pskc == bytes.fromhex("c3f59368445a1b6106be420a706d4cc9")


def test_passphrase_and_pskc_together_are_refused() -> None:
    with pytest.raises(DatasetFieldError) as caught:
        generate(counting_entropy(), passphrase="12SECRETPASSWORD34", pskc=bytes(16))
    assert caught.value.field == "passphrase"


def test_pending_fields_make_a_pending_dataset() -> None:
    dataset = generate(counting_entropy(), pending_timestamp=Timestamp(9), delay_timer_ms=30000)
    assert not dataset.missing("pending")
    assert strict_findings(dataset.encode(), "pending") == ()


REPORTED = (
    "0e080000000000010000000300001035060004001fffe002083c66f0dc9ef53f1c0708fdb360c72874da9905104094dce45388fd3d3426e992c"
    "bf0697b030d474c2d5332302d6e65773030310102250b04106c9f919a4da9b213764fc83f849381080c0402a0f7f8"
)


def test_table_of_every_field_gives_the_reported_dataset() -> None:
    table = {
        "active_timestamp": 1,
        "channel": 16,
        "wakeup_channel": False,
        "channel_mask": list(range(11, 27)),
        "ext_pan_id": "3c66f0dc9ef53f1c",
        "mesh_local_prefix": "fdb3:60c7:2874:da99::/64",
        "network_key": "4094dce45388fd3d3426e992cbf0697b",
        "network_name": "GL-S20-new001",
        "pan_id": "0x250b",
        "pskc": "6c9f919a4da9b213764fc83f84938108",
        "security_policy": "02a0f7f8",
    }
    assert from_fields(table, counting_entropy()).hex() == REPORTED


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [
        ({"channel": "15"}, "channel", Channel(0, 15)),
        ({"pan_id": 9483}, "pan_id", 9483),
        ({"wakeup_channel": 21}, "wakeup_channel", Channel(0, 21)),
        ({"wakeup_channel": False}, "wakeup_channel", None),
        ({"channel_mask": [11, 15]}, "channel_mask", ChannelMask.from_channels([11, 15])),
        ({"channel_mask": "0x07fff800"}, "channel_mask", ALL_CHANNELS),
        ({"channel_mask": 134215680}, "channel_mask", ALL_CHANNELS),
        ({"channel_mask": "0004001fffe0"}, "channel_mask", ALL_CHANNELS),
        ({"network_key": bytes(16)}, "network_key", bytes(16)),
        ({"ext_pan_id": "3c:66:f0:dc:9e:f5:3f:1c"}, "ext_pan_id", bytes.fromhex("3c66f0dc9ef53f1c")),
        ({"mesh_local_prefix": "fd11::"}, "mesh_local_prefix", b"\xfd\x11" + bytes(6)),
        ({"mesh_local_prefix": "fdb360c72874da99"}, "mesh_local_prefix", bytes.fromhex("fdb360c72874da99")),
        ({"active_timestamp": {"seconds": 5, "ticks": 2, "authoritative": True}}, "active_timestamp", (5, 2, True)),
        ({"security_policy": "02a0ff"}, "security_policy", SecurityPolicy(672, b"\xff")),
        ({"security_policy": {"rotation_hours": 24, "routers": False}}, "security_policy", (24, b"\xd7\xf8")),
        ({"channel": None}, "network_name", "OpenThread-{pan_id:04x}"),
    ],
)
def test_friendly_form_is_understood(table: dict[str, object], name: str, value: object) -> None:
    dataset = from_fields(table, counting_entropy())
    expected = value.format(pan_id=dataset.pan_id) if isinstance(value, str) else value
    assert getattr(dataset, name) == expected


def test_empty_table_is_the_generated_dataset() -> None:
    assert from_fields({}, counting_entropy()) == generate(counting_entropy())


def test_further_tlvs_are_appended() -> None:
    assert from_fields({"more_tlvs": "f10676656e646f72"}, counting_entropy()).hex().endswith("f10676656e646f72")


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ({"chanel": 15}, "chanel"),
        ({"channel": 10}, "channel"),
        ({"channel": "many"}, "channel"),
        ({"channel": True}, "channel"),
        ({"channel": 15.0}, "channel"),
        ({"channel_mask": [32]}, "channel_mask"),
        ({"channel_mask": "00"}, "channel_mask"),
        ({"channel_mask": -1}, "channel_mask"),
        ({"channel_mask": []}, "dataset"),
        ({"network_key": KEY[:-2]}, "network_key"),
        ({"network_key": KEY[:-1] + "x"}, "network_key"),
        ({"network_key": 7}, "network_key"),
        ({"network_name": ""}, "network_name"),
        ({"network_name": "a name of 17 byte"}, "network_name"),
        ({"network_name": "\ud800"}, "dataset"),
        ({"network_name": "bell\x07"}, "dataset"),
        ({"pan_id": 0xFFFF}, "dataset"),
        ({"pan_id": "250b"}, "pan_id"),
        ({"mesh_local_prefix": "fd00::/48"}, "mesh_local_prefix"),
        ({"mesh_local_prefix": "fd00::1"}, "mesh_local_prefix"),
        ({"mesh_local_prefix": "fd::zz"}, "mesh_local_prefix"),
        ({"mesh_local_prefix": "2001:db8::/64"}, "dataset"),
        ({"active_timestamp": {"second": 1}}, "active_timestamp"),
        ({"active_timestamp": {"authoritative": "yes"}}, "active_timestamp"),
        ({"active_timestamp": 1 << 48}, "active_timestamp"),
        ({"security_policy": {"router": True}}, "security_policy"),
        ({"security_policy": {"routers": "no"}}, "security_policy"),
        ({"security_policy": "02a0"}, "security_policy"),
        ({"security_policy": {"rotation_hours": 1}}, "dataset"),
        ({"passphrase": "short"}, "dataset"),
        ({"passphrase": "long enough", "pskc": KEY}, "passphrase"),
        ({"more_tlvs": "f102"}, "more_tlvs"),
        ({"delay_timer_ms": 1000}, "dataset"),
        ({"pending_timestamp": 2}, "dataset"),
    ],
    ids=lambda given: str(given)[:60].encode("ascii", "backslashreplace").decode(),
)
def test_bad_field_is_refused_by_name(table: dict[str, object], field: str) -> None:
    with pytest.raises(DatasetFieldError) as caught:
        from_fields(table, counting_entropy())
    assert caught.value.field == field
    assert isinstance(caught.value, EncodeError)


def test_refusal_of_a_key_does_not_repeat_it() -> None:
    for name in ("network_key", "pskc", "passphrase"):
        with pytest.raises(DatasetFieldError) as caught:
            from_fields({name: KEY * 20 + "zz"}, counting_entropy())
        assert KEY[:8] not in str(caught.value)


def test_network_of_a_table_reads_back_from_its_own_hex() -> None:
    dataset = from_fields({"network_name": "网络"}, counting_entropy())
    assert Dataset.from_hex(dataset.hex()) == dataset
