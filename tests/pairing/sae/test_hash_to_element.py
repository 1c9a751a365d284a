"""Hash-to-element: the curve mapping against RFC 9380's known answers; PT and PWE against tests/verify's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.crypto.curves import P256, P384, Curve
from pairing.errors import EncodeError
from pairing.sae.hash_to_element import derive_password_token, simplified_swu

ONE, OTHER = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"


def test_mapping_gives_rfc_9380_p256_first_point() -> None:
    u = 0xAD5342C66A6DD0FF080DF1DA0EA1C04B96E0330DD89406465EEBA11582515009
    point = simplified_swu(P256, u)
    assert P256.encode_point(point).hex() == (
        "ab640a12220d3ff283510ff3f4b1953d09fad35795140b1c5d64f313967934d5"
        "dccb558863804a881d4fff3455716c836cef230e5209594ddd33d85c565b19b1"
    )


@pytest.mark.parametrize("curve", [P256, P384], ids=lambda curve: curve.name)
@given(st.data())
def test_every_number_maps_to_a_point_with_its_parity(curve: Curve, data: st.DataObject) -> None:
    u = data.draw(st.integers(0, curve.p - 1))
    point = simplified_swu(curve, u)
    assert curve.decode_point(curve.encode_point(point)) == point
    assert int(point.y) % 2 == u % 2


def test_password_element_is_the_same_whichever_address_comes_first() -> None:
    token = derive_password_token(19, b"ssid", b"password")
    assert token.pwe(ONE, OTHER) == token.pwe(OTHER, ONE)
    assert token.pwe(ONE, OTHER) != token.pwe(ONE, ONE)


def test_token_depends_on_password_ssid_and_group() -> None:
    tokens = [
        derive_password_token(19, b"ssid", b"password"),
        derive_password_token(19, b"ssid", b"Password"),
        derive_password_token(19, b"SSID", b"password"),
        derive_password_token(20, b"ssid", b"password"),
    ]
    assert len({token.steps["pt"] for token in tokens}) == 4


def test_other_groups_are_an_encode_error() -> None:
    with pytest.raises(EncodeError, match="group 21"):
        derive_password_token(21, b"ssid", b"password")


def test_repr_of_a_token_shows_its_curve_alone() -> None:
    text = repr(derive_password_token(19, b"ssid", b"password"))
    assert "pt=" not in text
    assert "steps=" not in text
