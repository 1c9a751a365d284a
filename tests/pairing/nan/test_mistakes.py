"""Mistakes in names and identities by their names; the mistaken values come from the standard library alone."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from hypothesis import given
from hypothesis import strategies as st

from pairing.keys import NanPairingKeys
from pairing.nan.attributes import (
    BootstrappingMethods,
    IdentityResolution,
    KeyDescriptor,
    KeyInfo,
    PairingBootstrapping,
    SharedKeyDescriptor,
)
from pairing.nan.mistakes import (
    known_answer_mistake,
    known_bootstrapping_mistake,
    known_identity_mistake,
    known_nik_mistake,
    known_service_id_mistake,
)
from tests.support.nan_capture import captures, known_answers

NIK, OWN_NIK, NONCE = bytes(range(16)), bytes(range(16, 32)), bytes(range(40, 48))
SENDER, RECEIVER = bytes.fromhex("060000000002"), bytes.fromhex("020000000001")
M = BootstrappingMethods


def sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:6]


@pytest.mark.parametrize(
    ("name", "came", "mistake"),
    [
        ("_Camera._udp", sha("_Camera._udp"), "without lower-casing"),
        ("_camera._udp", sha("_CAMERA._UDP"), "hashed as '_CAMERA._UDP', without lower-casing"),
        ("_sat-simulation._udp", sha("_Sat-Simulation._udp"), "without lower-casing"),
        ("_straße._udp", hashlib.sha256("_STRAßE._udp".encode().lower()).digest()[:6], ""),
        ("_CAFÉ._udp", sha("_café._udp"), "letters beyond ASCII"),
        ("_camera._udp", sha("_camera._udp."), "a dot"),
        ("_camera._udp", sha("_camera._udp.local"), "'.local'"),
        ("_camera._udp", sha("_camera._udp\0"), "a zero octet"),
        ("_camera._udp", sha("_camera"), "without its '._udp'"),
        ("_camera._udp", sha("camera.udp"), "without underscores"),
        ("_camera._udp", hashlib.sha256(b"_camera._udp").digest()[-6:], "last octets"),
        ("_camera._udp", sha("_camera._udp")[::-1], "reversed"),
        ("_camera._udp", hashlib.sha1(b"_camera._udp").digest()[:6], "SHA-1"),  # noqa: S324  # the mistake itself
        ("_camera._udp", sha("_printer._udp"), ""),
        ("_camera._udp", sha("_camera._udp"), ""),
    ],
)
def test_how_a_wrong_service_id_came_about_is_named(name: str, came: bytes, mistake: str) -> None:
    found = known_service_id_mistake(name, came)
    assert mistake in (found or "")
    assert bool(found) == bool(mistake)


def test_recorded_service_ids_have_no_mistake() -> None:
    kats = [kat for kat in known_answers() if kat["kat"] == "service_id"]
    assert kats
    for kat in kats:
        name = next(value for key, value in kat.items() if "name" in key)
        assert known_service_id_mistake(name, bytes.fromhex(kat["service_id"])) is None


def tag(nik: bytes, covered: bytes, name: str = "sha256") -> bytes:
    return hmac.digest(nik, covered, name)[:8]


TAGS = {
    "receiver's NMI": tag(NIK, b"NIR" + RECEIVER + NONCE),
    "nonce before the NMI": tag(NIK, b"NIR" + NONCE + SENDER),
    'does not cover "NIR"': tag(NIK, SENDER + NONCE),
    'covers "NIRA"': tag(NIK, b"NIRA" + SENDER + NONCE),
    "zero octet after it": tag(NIK, b"NIR\0" + SENDER + NONCE),
    "SHA-384": tag(NIK, b"NIR" + SENDER + NONCE, "sha384"),
    "last octets": hmac.digest(NIK, b"NIR" + SENDER + NONCE, "sha256")[-8:],
    "nonce in reverse": tag(NIK, b"NIR" + SENDER + NONCE[::-1]),
    "NMI in reverse": tag(NIK, b"NIR" + SENDER[::-1] + NONCE),
    "does not cover the NMI": tag(NIK, b"NIR" + NONCE),
    "the receiver's NIK": tag(OWN_NIK, b"NIR" + SENDER + NONCE),
}


@pytest.mark.parametrize("name", TAGS)
def test_how_a_wrong_tag_came_about_is_named(name: str) -> None:
    identity = IdentityResolution(NONCE, TAGS[name])
    assert name in (known_identity_mistake(identity, [bytes(16), NIK], SENDER, RECEIVER, OWN_NIK) or "")


def test_a_tag_before_its_nonce_and_another_cipher_version_are_named() -> None:
    right = tag(NIK, b"NIR" + SENDER + NONCE)
    turned = IdentityResolution(right, NONCE)
    assert known_identity_mistake(turned, [NIK], SENDER, RECEIVER) == "the tag stands before the nonce"
    versioned = IdentityResolution(NONCE, right, 1)
    assert known_identity_mistake(versioned, [NIK], SENDER, RECEIVER) == "cipher version 1, expected 0"


def test_another_nik_is_no_known_mistake() -> None:
    assert known_identity_mistake(IdentityResolution(NONCE, bytes(8)), [NIK], SENDER, RECEIVER, OWN_NIK) is None


# The NIK exchange


def kdf(key: bytes, context: bytes, length: int, name: str, order: str = "little") -> bytes:
    fixed = b"NAN Management KEK Derivation" + context + (8 * length).to_bytes(2, order)  # type: ignore[arg-type]
    return hmac.digest(key, (1).to_bytes(2, order) + fixed, name)[:length]  # type: ignore[arg-type]


KDK, NIK_KDE = bytes(range(100, 132)), bytes.fromhex("dd15506f9a2400") + NIK
LIFETIME = bytes.fromhex("dd0a506f9a25") + b"\x08\x00" + (43200).to_bytes(4, "big")
PLAIN = NIK_KDE + LIFETIME
I, R = RECEIVER, SENDER  # noqa: E741  # the standard's letters


def keys(suite: int = 7) -> NanPairingKeys:
    kek = kdf(KDK, I + R, 16, "sha256") if suite == 7 else kdf(KDK, I + R, 32, "sha384")
    tk = bytes(16 if suite == 7 else 32)
    return NanPairingKeys(
        suite=suite, is_authenticated=True, nm_kck=b"c" * 32, nm_tk=tk, nm_kdk=KDK, nm_kek=kek, nd_pmk=b"", npk=b""
    )


def descriptor(kek: bytes, plain: bytes = PLAIN, info: int = 0x1088, **changes: object) -> SharedKeyDescriptor:
    padded = plain + b"\xdd" + bytes(-(len(plain) + 1) % 8) if len(plain) % 8 else plain
    whole = KeyDescriptor(key_info=KeyInfo(info), key_data=aes_key_wrap(kek, padded))
    return SharedKeyDescriptor(5, replace(whole, **changes).encode())  # type: ignore[arg-type]


KEKS: dict[str, Callable[[], bytes]] = {
    "SHA384 for NM-KEK": lambda: kdf(KDK, I + R, 16, "sha384"),
    "responder || initiator": lambda: kdf(KDK, R + I, 16, "sha256"),
    "NM-KEK of 32 octets": lambda: kdf(KDK, I + R, 32, "sha256"),
    "without the addresses": lambda: kdf(KDK, b"", 16, "sha256"),
    "big endian": lambda: kdf(KDK, I + R, 16, "sha256", "big"),
    "wrapped with NM-TK": lambda: bytes(16),
    "wrapped with NM-KCK": lambda: b"c" * 32,
    "wrapped with NM-KDK": lambda: KDK,
}


@pytest.mark.parametrize("name", KEKS)
def test_key_data_under_a_mistaken_key_are_named(name: str) -> None:
    assert name in (known_nik_mistake(descriptor(KEKS[name]()), keys(), I, R) or "")


def test_the_weak_hash_below_the_kdk_of_suite_8_is_named() -> None:
    received = descriptor(kdf(KDK, I + R, 32, "sha256"))
    assert (known_nik_mistake(received, keys(8), I, R) or "").startswith("SHA256 for NM-KEK, expected SHA384")


@pytest.mark.parametrize(
    ("received", "name"),
    [
        (descriptor(keys().nm_kek, mic=bytes(16)), "a MIC field of 16 octets"),
        (descriptor(keys().nm_kek, mic=bytes(24)), "a MIC field of 24 octets"),
        (descriptor(keys().nm_kek, key_data=PLAIN), "in clear"),
        (descriptor(keys().nm_kek, info=0x8810), "little endian"),
        (descriptor(keys().nm_kek, info=0x1000), "without the pairwise bit"),
        (descriptor(keys().nm_kek, info=0x0088), "does not say that the key data are encrypted"),
        (descriptor(keys().nm_kek, bytes.fromhex("dd15506f9a2401") + NIK + LIFETIME), "cipher version 1"),
        (descriptor(keys().nm_kek, bytes.fromhex("dd14506f9a24") + NIK + LIFETIME), "has no cipher version"),
        (descriptor(keys().nm_kek, LIFETIME + LIFETIME), "no NIK KDE"),
        (descriptor(keys().nm_kek, NIK_KDE), "no lifetime KDE"),
        (descriptor(keys().nm_kek, NIK_KDE + LIFETIME[:6] + b"\x00\x08" + LIFETIME[8:]), "bitmap of the lifetime"),
    ],
)
def test_mistaken_descriptors_are_named(received: SharedKeyDescriptor, name: str) -> None:
    assert name in (known_nik_mistake(received, keys(), I, R) or "")


def test_recorded_nik_exchanges_have_no_mistake() -> None:
    for name in ("opportunistic_128_01", "opportunistic_256_01", "password_passphrase_256_01"):
        capture = captures()[name]
        own = capture.document["initiator"]["keys"]
        made = {each: bytes.fromhex(own[each]) for each in ("nm_kck", "nm_tk", "nm_kdk", "nm_kek", "nd_pmk", "npk")}
        made_keys = NanPairingKeys(suite=8 if "256" in name else 7, is_authenticated=True, **made)
        for frame in capture.frames:
            if frame.kind == "nik_followup":
                received = frame.sdf.find(SharedKeyDescriptor)
                assert received is not None
                assert (
                    known_nik_mistake(received, made_keys, capture.nmi("initiator"), capture.nmi("responder")) is None
                )


@given(st.binary(max_size=200))
def test_any_descriptor_is_judged_without_an_error(data: bytes) -> None:
    assert isinstance(known_nik_mistake(SharedKeyDescriptor(1, data), keys(), I, R), str | None)


# Bootstrapping


@pytest.mark.parametrize(
    ("message", "offered", "name"),
    [
        (PairingBootstrapping(1, 0, 1, M.PIN_KEYPAD), M.PIN_DISPLAY, "type and status"),
        (PairingBootstrapping(1, 1, 0, M.PIN_KEYPAD | M.QR_SCAN), M.PIN_DISPLAY, "this one names 2"),
        (PairingBootstrapping(1, 1, 0, M.NONE), M.PIN_DISPLAY, "this one names 0"),
        (PairingBootstrapping(1, 1, 0, M(0x2000)), M.PIN_DISPLAY, "big endian"),
        (PairingBootstrapping(1, 1, 0, M(0x2000)), M.NONE, "big endian"),
        (PairingBootstrapping(0, 1, 0, M.PIN_KEYPAD), M.PIN_DISPLAY, "dialog token is 0"),
        (PairingBootstrapping(1, 1, 0, M.PIN_KEYPAD), M.PIN_DISPLAY, ""),
        (PairingBootstrapping(1, 1, 0, M.QR_SCAN), M.QR_DISPLAY | M.HANDSHAKE_SKIPPED, ""),
        (PairingBootstrapping(1, 2, 0, M.PIN_DISPLAY), M.NONE, ""),
        (PairingBootstrapping(0, 0, 0, M(0xC1FF)), M.NONE, ""),
    ],
)
def test_odd_bootstrapping_messages_are_named(
    message: PairingBootstrapping, offered: BootstrappingMethods, name: str
) -> None:
    found = known_bootstrapping_mistake(message, offered)
    assert name in (found or "")
    assert bool(found) == bool(name)


@pytest.mark.parametrize(
    ("answered", "name"),
    [
        (M.PIN_DISPLAY, ""),
        (M.PIN_KEYPAD, "repeats the bit of the request"),
        (M(0x0200), "big endian"),
        (M.NONE, "names no method"),
        (M(0xC1FF), "names every method"),
        (M.QR_SCAN, ""),
    ],
)
def test_odd_accepting_answers_are_named(answered: BootstrappingMethods, name: str) -> None:
    found = known_answer_mistake(M.PIN_KEYPAD, answered)
    assert name in (found or "")
    assert bool(found) == bool(name)
