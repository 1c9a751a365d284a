"""AES key wrap against RFC 3394, and what it refuses."""

import pytest

from pairing.crypto.key_wrap import unwrap, wrap
from pairing.errors import AuthenticationError, EncodeError

RFC_3394 = [
    (
        "000102030405060708090A0B0C0D0E0F",
        "00112233445566778899AABBCCDDEEFF",
        "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5",
    ),
    (
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
        "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
    ),
]


@pytest.mark.parametrize(("kek", "plain", "wrapped"), RFC_3394)
def test_wrap_gives_rfc_3394(kek: str, plain: str, wrapped: str) -> None:
    assert wrap(bytes.fromhex(kek), bytes.fromhex(plain)) == bytes.fromhex(wrapped)
    assert unwrap(bytes.fromhex(kek), bytes.fromhex(wrapped)) == bytes.fromhex(plain)


def test_altered_octets_and_other_keks_fail_authentication() -> None:
    kek, _, wrapped = (bytes.fromhex(text) for text in RFC_3394[0])
    for bad_kek, bad in ((kek, wrapped[:-1] + b"\x00"), (bytes(16), wrapped), (kek, b""), (kek, wrapped[:-1])):
        with pytest.raises(AuthenticationError):
            unwrap(bad_kek, bad)


@pytest.mark.parametrize(("kek", "plain"), [(bytes(16), bytes(8)), (bytes(16), bytes(17)), (bytes(15), bytes(16))])
def test_what_cannot_be_wrapped_is_an_encode_error(kek: bytes, plain: bytes) -> None:
    with pytest.raises(EncodeError):
        wrap(kek, plain)
