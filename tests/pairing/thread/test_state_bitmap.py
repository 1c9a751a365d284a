"""The state bitmap: every bit survives, words are the vectors', and reserved numbers stay apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError, EncodeError
from pairing.thread.state_bitmap import (
    Availability,
    ConnectionMode,
    InterfaceStatus,
    MultiAil,
    StateBitmap,
    ThreadRole,
)


@given(st.binary(min_size=4, max_size=4))
def test_four_arbitrary_bytes_round_trip(data):
    assert StateBitmap.decode(data).encode() == data


@given(st.binary(max_size=8).filter(lambda data: len(data) != 4))
def test_other_lengths_raise_decode_error(data):
    with pytest.raises(DecodeError, match="expected 4"):
        StateBitmap.decode(data)


def test_leader_with_backbone_router_is_the_captured_value():
    bitmap = StateBitmap(
        connection_mode=ConnectionMode.PSKC,
        interface_status=InterfaceStatus.ACTIVE,
        availability=Availability.HIGH,
        bbr_active=True,
        bbr_primary=True,
        role=ThreadRole.LEADER,
        ephemeral_key_supported=True,
        multi_ail=MultiAil.NOT_DETECTED,
    )

    assert bitmap.encode().hex() == "00001fb1"


def test_reserved_numbers_read_alike_and_write_apart():
    two, three = (StateBitmap.decode(bytes([0, 0, 0, number << 5])) for number in (2, 3))

    assert two.meaning()["availability"] == three.meaning()["availability"] == "reserved"
    assert two != three


def test_bits_above_the_defined_ones_are_kept_as_a_number():
    assert StateBitmap.decode(bytes.fromhex("80008020")).bits_above_defined == 0x10001


@pytest.mark.parametrize("bits", [-1, 1 << 17])
def test_bits_that_do_not_fit_raise_encode_error(bits):
    with pytest.raises(EncodeError, match="does not fit"):
        StateBitmap(bits_above_defined=bits).encode()
