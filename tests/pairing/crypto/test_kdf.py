"""Key derivation: HKDF against RFC 5869, the 802.11 KDF against captured keys (see tests/verify), and their limits."""

import pytest

from pairing.crypto.intermediates import Intermediates
from pairing.crypto.kdf import Hash, hkdf_expand, hkdf_extract, hmac_digest, kdf
from pairing.errors import EncodeError


def test_hkdf_gives_rfc_5869_case_1() -> None:
    key = hkdf_extract(Hash.SHA256, bytes(range(13)), b"\x0b" * 22)
    assert key.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    okm = hkdf_expand(Hash.SHA256, key, bytes(range(0xF0, 0xFA)), 42)
    assert okm.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"


def test_hkdf_gives_rfc_5869_case_3_without_salt_and_info() -> None:
    key = hkdf_extract(Hash.SHA256, b"", b"\x0b" * 22)
    okm = hkdf_expand(Hash.SHA256, key, b"", 42)
    assert okm.hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"


def test_kdf_counts_blocks_and_names_the_whole_length_in_each() -> None:
    long = kdf(Hash.SHA256, b"key", "label", b"context", 384)
    first = hmac_digest(Hash.SHA256, b"key", b"\x01\x00labelcontext\x80\x01")
    second = hmac_digest(Hash.SHA256, b"key", b"\x02\x00labelcontext\x80\x01")
    assert long == first + second[:16]
    assert kdf(Hash.SHA256, b"key", "label", b"context", 256) != long[:32]


@pytest.mark.parametrize("bits", [0, 7, 65536])
def test_kdf_refuses_lengths_that_it_cannot_name(bits: int) -> None:
    with pytest.raises(EncodeError):
        kdf(Hash.SHA384, b"key", "label", b"", bits)


@pytest.mark.parametrize("length", [0, 255 * 32 + 1])
def test_hkdf_refuses_lengths_beyond_its_counter(length: int) -> None:
    with pytest.raises(EncodeError):
        hkdf_expand(Hash.SHA256, b"key", b"", length)


def test_intermediates_show_names_only() -> None:
    values = Intermediates({"kck": b"\xaa" * 16, "tk": b"\xbb" * 16})
    assert repr(values) == "Intermediates(kck, tk)"
    assert dict(values) == {"kck": b"\xaa" * 16, "tk": b"\xbb" * 16}
    assert len(values) == 2
