"""Products and sums of points against PyCryptodome's, with the scalars and sums where formulas break."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairing.crypto.curves import P256
from pairing.ecjpake.points import (
    CURVE,
    GENERATOR,
    Affine,
    Point,
    decode_point,
    generator_multiple,
    multiple,
    negative,
    total,
    x_of_multiple,
)
from pairing.errors import DecodeError

BASE = P256.decode_point(P256.encoded_multiple(1)[1:])
SCALARS = st.integers(0, CURVE.q + 2)
EDGES = (0, 1, 2, 3, (CURVE.q - 1) // 2, CURVE.q - 3, CURVE.q - 2, CURVE.q - 1, CURVE.q, CURVE.q + 1)


def independent(scalar: int) -> Point:
    """scalar·G as PyCryptodome has it."""
    scalar %= CURVE.q
    if not scalar:
        return None
    point = BASE * scalar
    return Affine(int(point.x), int(point.y))


@pytest.mark.parametrize("scalar", EDGES)
@pytest.mark.parametrize("base", [1, 2, CURVE.q - 1, 1234567])
def test_products_with_scalars_at_the_edge(scalar: int, base: int) -> None:
    point = generator_multiple(base)
    assert point is not None
    assert multiple(scalar, point) == independent(scalar * base)


@settings(max_examples=40)
@given(SCALARS, st.integers(1, CURVE.q - 1))
def test_products_are_those_of_another_library(scalar: int, base: int) -> None:
    point = independent(base)
    assert point is not None
    assert multiple(scalar, point) == independent(scalar * base)
    if scalar % CURVE.q:
        made = independent(scalar * base)
        assert made is not None
        assert x_of_multiple(scalar % CURVE.q, point) == CURVE.encode_number(made.x)


@settings(max_examples=40)
@given(SCALARS, SCALARS)
def test_sums_are_those_of_another_library(one: int, other: int) -> None:
    assert total(independent(one), independent(other)) == independent(one + other)


@pytest.mark.parametrize(("one", "other"), [(5, 5), (5, CURVE.q - 5), (5, 0), (0, 5), (0, 0), (1, 2)])
def test_sums_with_equal_opposite_and_no_points(one: int, other: int) -> None:
    assert total(independent(one), independent(other)) == independent(one + other)
    assert negative(independent(one)) == independent(-one)


def test_generator_is_the_standards() -> None:
    assert GENERATOR.encode().hex().startswith("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")


@pytest.mark.parametrize(
    "data",
    [b"", bytes(65), b"\x04" + bytes(64), b"\x04" + b"\xff" * 64, b"\x02" + GENERATOR.encode()[1:], bytes(64)],
)
def test_what_is_no_point_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_point(data)


@given(st.binary(max_size=70))
def test_arbitrary_octets_are_a_point_or_a_decode_error(data: bytes) -> None:
    try:
        assert decode_point(data).encode() == data
    except DecodeError:
        return
