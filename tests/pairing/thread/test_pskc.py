"""PSKc: known answers that OpenThread computed too, the definition itself, and the limits of the inputs."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from pairing.errors import EncodeError
from pairing.thread.pskc import derive_pskc, pskc_salt

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "thread" / "pskc.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["passphrase_hex"])
def test_pskc_is_openthreads(vector: dict[str, str]) -> None:
    ext_pan_id = bytes.fromhex(vector["extended_pan_id"])
    assert pskc_salt(vector["network_name"], ext_pan_id).hex() == vector["salt_hex"]
    assert derive_pskc(vector["passphrase"], vector["network_name"], ext_pan_id).hex() == vector["pskc"]


def by_definition(password: bytes, salt: bytes) -> bytes:
    """RFC 8018 with the PRF of RFC 4615, one library CMAC after the other."""

    def cmac(key: bytes, message: bytes) -> bytes:
        mac = CMAC(algorithms.AES(key))
        mac.update(message)
        return mac.finalize()

    key = password if len(password) == 16 else cmac(bytes(16), password)
    block = cmac(key, salt + b"\x00\x00\x00\x01")
    result = int.from_bytes(block, "big")
    for _ in range(16383):
        block = cmac(key, block)
        result ^= int.from_bytes(block, "big")
    return result.to_bytes(16, "big")


@settings(max_examples=5)
@given(st.binary(min_size=6, max_size=255), st.binary(max_size=16), st.binary(min_size=8, max_size=8))
def test_pskc_follows_the_definition(passphrase: bytes, name: bytes, ext_pan_id: bytes) -> None:
    assert derive_pskc(passphrase, name, ext_pan_id) == by_definition(passphrase, pskc_salt(name, ext_pan_id))


def test_text_is_taken_as_utf8() -> None:
    assert derive_pskc("пароль-сети", "网络-5", bytes(8)) == derive_pskc(
        "пароль-сети".encode(), "网络-5".encode(), bytes(8)
    )


@pytest.mark.parametrize("passphrase", ["", "12345", "x" * 256, "é" * 128])
def test_passphrase_outside_6_to_255_bytes_is_refused_without_repeating_it(passphrase: str) -> None:
    with pytest.raises(EncodeError) as caught:
        derive_pskc(passphrase, "Home", bytes(8))
    assert not passphrase or passphrase not in str(caught.value)


@pytest.mark.parametrize("passphrase", ["123456", "x" * 255])
def test_passphrase_at_the_limits_is_taken(passphrase: str) -> None:
    assert len(derive_pskc(passphrase, "Home", bytes(8))) == 16


@pytest.mark.parametrize(("name", "ext_pan_id"), [("n" * 17, bytes(8)), ("n", bytes(7)), ("n", bytes(9))])
def test_name_or_id_of_wrong_length_is_refused(name: str, ext_pan_id: bytes) -> None:
    with pytest.raises(EncodeError):
        derive_pskc("123456", name, ext_pan_id)
