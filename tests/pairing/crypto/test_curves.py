"""Curves: point encodings that come from outside, scalars that come from entropy, products either way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.crypto.curves import CURVES, P256, P384, Curve, EphemeralKey, Point
from pairing.errors import DecodeError, LocalProtocolError

BOTH = pytest.mark.parametrize("curve", [P256, P384], ids=lambda curve: curve.name)


def generator(curve: Curve) -> Point:
    x = int.from_bytes(EphemeralKey(curve, 1).public_x, "big")
    y = curve.sqrt(curve.right_side(x))
    assert y is not None
    return curve.point(x, y)


@BOTH
def test_decoded_point_encodes_to_the_same_octets(curve: Curve) -> None:
    point = generator(curve) * 7
    assert curve.decode_point(curve.encode_point(point)) == point


@BOTH
@given(st.data())
def test_arbitrary_octets_are_a_point_or_a_decode_error(curve: Curve, data: st.DataObject) -> None:
    octets = data.draw(st.binary(max_size=2 * curve.size + 1))
    with pytest.raises(DecodeError):
        curve.decode_point(octets)


@BOTH
def test_infinity_and_unreduced_coordinates_are_refused(curve: Curve) -> None:
    for octets in (bytes(2 * curve.size), b"\xff" * (2 * curve.size)):
        with pytest.raises(DecodeError, match="not on"):
            curve.decode_point(octets)


def test_coordinate_that_only_fits_after_reduction_is_refused() -> None:
    x = next(x for x in range(1, 100) if P256.sqrt(P256.right_side(x)) is not None)
    y = P256.sqrt(P256.right_side(x))
    assert y is not None
    P256.decode_point(P256.encode_number(x) + P256.encode_number(y))
    with pytest.raises(DecodeError):
        P256.decode_point(P256.encode_number(x + P256.p) + P256.encode_number(y))


@BOTH
def test_both_sides_of_an_ephemeral_exchange_agree(curve: Curve) -> None:
    one, other = EphemeralKey(curve, 1234567), EphemeralKey(curve, curve.q - 2)
    there = one.agree(curve.load_public_key(b"\x02" + other.public_x))
    back = other.agree(curve.load_public_key(b"\x03" + one.public_x))
    assert there == back
    assert int.from_bytes(there, "big") == int((generator(curve) * (1234567 * (curve.q - 2) % curve.q)).x)


@BOTH
def test_x_of_product_is_the_x_of_the_whole_product(curve: Curve) -> None:
    point = generator(curve) * 99
    assert curve.x_of_product(12345, point) == curve.encode_number(int((point * 12345).x))


@BOTH
def test_public_key_off_the_curve_is_refused(curve: Curve) -> None:
    x = next(x for x in range(1, 100) if curve.sqrt(curve.right_side(x)) is None)
    for encoded in (b"\x02" + curve.encode_number(x), b"\x04" + bytes(2 * curve.size), b"\x00", b""):
        with pytest.raises(DecodeError):
            curve.load_public_key(encoded)


@BOTH
def test_recorded_scalar_comes_out_as_that_scalar(curve: Curve) -> None:
    recorded = curve.encode_number(curve.q - 1)
    assert curve.draw_scalar(lambda length: recorded) == curve.q - 1


def test_draw_that_does_not_fit_is_drawn_again() -> None:
    draws = iter([bytes(32), b"\xff" * 32, P256.encode_number(1), P256.encode_number(5)])
    assert P256.draw_scalar(lambda length: next(draws), lowest=2) == 5


def test_entropy_without_a_usable_scalar_is_named() -> None:
    with pytest.raises(LocalProtocolError, match="entropy"):
        P256.draw_scalar(bytes)


def test_private_scalar_is_not_in_the_repr() -> None:
    assert repr(EphemeralKey(P256, 4242)) == "EphemeralKey(P-256)"


def test_curves_are_found_by_group_number() -> None:
    assert {group: curve.name for group, curve in CURVES.items()} == {19: "P-256", 20: "P-384"}
