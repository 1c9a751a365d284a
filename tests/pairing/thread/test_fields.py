"""Timestamp, channel, channel mask and security policy on their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError, EncodeError
from pairing.thread.fields import (
    ALL_CHANNELS,
    DEFAULT_SECURITY_POLICY,
    Channel,
    ChannelMask,
    ChannelMaskEntry,
    SecurityPolicy,
    Timestamp,
    utf8_error,
)

NUMBERS = st.integers(0, 2**64 - 1)


@given(NUMBERS, NUMBERS)
def test_timestamps_order_as_their_64_bits(one: int, other: int) -> None:
    assert (Timestamp.from_int(one) < Timestamp.from_int(other)) == (one < other)
    assert int(Timestamp.from_int(one)) == one
    assert Timestamp.decode(Timestamp.from_int(one).encode()) == Timestamp.from_int(one)


def test_authoritative_is_newer_than_the_same_time_without() -> None:
    assert Timestamp(5, 3, False) < Timestamp(5, 3, True) < Timestamp(5, 4, False)


@given(st.sets(st.integers(0, 31)))
def test_channel_mask_keeps_its_channels(channels: set[int]) -> None:
    mask = ChannelMask.from_channels(channels)
    assert set(mask.channels()) == channels
    assert ChannelMask.decode(mask.encode()) == mask


@given(st.sets(st.integers(11, 26)))
def test_openthreads_number_has_bit_n_for_channel_n(channels: set[int]) -> None:
    mask = ChannelMask.from_channels(channels)
    assert mask.openthread_mask == sum(1 << channel for channel in channels)
    assert ChannelMask.from_openthread(mask.openthread_mask) == mask


def test_all_channels_have_both_known_renderings() -> None:
    assert ALL_CHANNELS.encode() == bytes.fromhex("0004001fffe0")
    assert (ALL_CHANNELS.openthread_text, ALL_CHANNELS.openthread_mask) == ("0x07fff800", 134215680)


def test_mask_of_another_page_is_kept_but_not_counted() -> None:
    mask = ChannelMask.decode(bytes.fromhex("0004001fffe00204000007fe"))
    assert mask.entries[1] == ChannelMaskEntry(2, bytes.fromhex("000007fe"))
    assert mask.channels() == tuple(range(11, 27))
    assert mask.channels(page=2) == tuple(range(21, 31))
    assert mask.openthread_text == "0x07fff800"


def test_gaps_show_in_the_text_of_a_mask() -> None:
    assert "channels 11-13, 15;" in str(ChannelMask.from_channels([11, 12, 13, 15]))
    assert "no channel;" in str(ChannelMask.from_channels([]))


@pytest.mark.parametrize("channels", [[32], [-1]])
def test_channel_without_a_bit_is_refused(channels: list[int]) -> None:
    with pytest.raises(EncodeError):
        ChannelMask.from_channels(channels)


@pytest.mark.parametrize("number", [-1, 1 << 32])
def test_openthread_number_outside_32_bits_is_refused(number: int) -> None:
    with pytest.raises(EncodeError):
        ChannelMask.from_openthread(number)


@pytest.mark.parametrize("record", [Timestamp, Channel, SecurityPolicy])
def test_too_few_bytes_are_refused(record: type[Timestamp] | type[Channel] | type[SecurityPolicy]) -> None:
    with pytest.raises(DecodeError):
        record.decode(b"\x00\x01")


def test_default_policy_is_threads() -> None:
    assert DEFAULT_SECURITY_POLICY.encode() == bytes.fromhex("02a0f7f8")
    assert DEFAULT_SECURITY_POLICY.openthread_text == "672 onrc 0"


BITS = {
    "obtain_network_key": (0, 0x80, True),
    "native_commissioning": (0, 0x40, True),
    "routers": (0, 0x20, True),
    "external_commissioning": (0, 0x10, True),
    "legacy_beacons": (0, 0x08, True),
    "commercial_commissioning": (0, 0x04, False),
    "autonomous_enrollment": (0, 0x02, False),
    "network_key_provisioning": (0, 0x01, False),
    "toble_link": (1, 0x80, True),
    "non_ccm_routers": (1, 0x40, False),
}


@pytest.mark.parametrize("name", BITS)
def test_policy_bit_sits_where_the_specification_puts_it(name: str) -> None:
    index, mask, set_means_yes = BITS[name]
    for is_set in (True, False):
        flags = bytearray(DEFAULT_SECURITY_POLICY.flags)
        flags[index] = flags[index] | mask if is_set else flags[index] & ~mask
        policy = SecurityPolicy(672, bytes(flags))
        assert getattr(policy, name) is (is_set is set_means_yes)
        named = {other: getattr(policy, other) for other in BITS}
        assert SecurityPolicy.of(672, **named) == policy


def test_second_flags_byte_may_be_absent() -> None:
    policy = SecurityPolicy.decode(bytes.fromhex("02a0ff"))
    assert policy.encode() == bytes.fromhex("02a0ff")
    assert (policy.toble_link, policy.non_ccm_routers, policy.version_threshold_for_routing) == (True, False, 0)
    assert policy.openthread_text == "672 onrc 0"


def test_version_threshold_has_three_bits() -> None:
    assert SecurityPolicy.of(version_threshold_for_routing=7).encode() == bytes.fromhex("02a0f7ff")
    with pytest.raises(EncodeError):
        SecurityPolicy.of(version_threshold_for_routing=8)


@given(st.text())
def test_utf8_pattern_accepts_all_of_python(text: str) -> None:
    encoded = text.encode(errors="surrogatepass")
    assert utf8_error(encoded) is None


@pytest.mark.parametrize(
    ("text", "offset"), [(b"a\x80", 1), (b"\xc3", 0), (b"\xe7\xbd", 0), (b"ab\xf8\x88\x88\x88\x88", 2), (b"\xc3a", 0)]
)
def test_utf8_pattern_names_the_first_bad_byte(text: bytes, offset: int) -> None:
    assert utf8_error(text) == offset
