"""The same for data paths and protected frames: names of PMKs, MICs of the four messages, tags."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from devices.explain.finding import Finding, Outcome
from pairing.ieee80211.frames import ManagementFrame
from pairing.nan.attributes import CipherSuiteInfo, SecurityContextInfo, SharedKeyDescriptor
from tests.support.nan_air import CAMERA, CAMERA_NDI, PHONE, PHONE_NDI
from tests.support.nan_transcript import RecordedHome, Wrong, data_path_number
from tests.support.planted_mistakes import assert_named, findings_of, kdf, mic, nan


def passphrase_home(wrong: Wrong, suite: int = 1) -> RecordedHome:
    session: dict[str, Any] = {"cipher_suites": CipherSuiteInfo.of(5, suite)}
    home = RecordedHome(wrong, camera_session=session, publishing={"passphrase": "a good passphrase"})
    return home.open(passphrase="a good passphrase", suite=suite)


def context_with(change: Callable[[RecordedHome, bytes], tuple[int, bytes]]) -> Wrong:
    """The phone's M1 names the PMK otherwise; `change` has the right ND-PMKID."""

    def wrong(home: RecordedHome, frame: bytes) -> bytes:
        if data_path_number(frame) != 5:
            return frame
        return nan(frame, lambda each: changed(home, each) if isinstance(each, SecurityContextInfo) else each)

    def changed(home: RecordedHome, each: SecurityContextInfo) -> SecurityContextInfo:
        publish_id, value = change(home, each.contexts[0].value)
        return SecurityContextInfo((replace(each.contexts[0], publish_id=publish_id, value=value),))

    return wrong


def service_id() -> bytes:
    return hashlib.sha256(b"_camera._udp").digest()[:6]


def pmk(name: str, suite: int) -> bytes:
    salt = bytes((0, suite)) + service_id() + CAMERA
    return hashlib.pbkdf2_hmac(name, b"a good passphrase", salt, 4096, 32)


def pmkid(key: bytes, addresses: bytes, name: str = "sha256") -> bytes:
    return hmac.digest(key, b"NAN PMK Name" + addresses + service_id(), name)[:16]


CONTEXTS: dict[str, tuple[Wrong, int]] = {
    "the SCIA is for ID 3; in all frames it is for the responder's, 5": (
        context_with(lambda home, right: (3, right)),
        1,
    ),
    "ND-PMKID from the initiator's data interface": (
        context_with(lambda home, right: (5, pmkid(pmk("sha256", 1), PHONE_NDI + CAMERA))),
        1,
    ),
    "the published ND-PMKID": (context_with(lambda home, right: (5, pmkid(pmk("sha256", 1), b"\xff" * 6 + CAMERA))), 1),
    "SHA256 for the PMK of the passphrase, expected SHA384": (
        context_with(lambda home, right: (5, pmkid(pmk("sha256", 2), PHONE + CAMERA, "sha384"))),
        2,
    ),
}


@pytest.mark.parametrize("name", CONTEXTS)
def test_mistake_in_the_name_of_a_pmk_is_named(name: str) -> None:
    wrong, suite = CONTEXTS[name]
    finding = assert_named(passphrase_home(wrong, suite), name)
    assert finding.failed == "ND-PMKID in M1"
    assert finding.values["nd_pmkid_input"].startswith(b"NAN PMK Name")


def wrong_data_path_mic(number: int, made: Callable[[RecordedHome, bytes, Mapping[str, bytes]], bytes]) -> Wrong:
    """M2 (6), M3 (7) or M4 (8) with another MIC; `made` has the body with a zero MIC."""

    def wrong(home: RecordedHome, frame: bytes) -> bytes:
        if data_path_number(frame) != number:
            return frame
        node = home.phone if frame[10:16] in (PHONE, PHONE_NDI) else home.camera
        path = node.device.data_path(1)
        assert path is not None
        blank = nan(frame, lambda each: zeroed(each) if isinstance(each, SharedKeyDescriptor) else each)
        value = made(home, blank[24:], path.side.intermediates)
        return nan(blank, lambda each: filled(each, value) if isinstance(each, SharedKeyDescriptor) else each)

    return wrong


def zeroed(carried: SharedKeyDescriptor) -> SharedKeyDescriptor:
    return filled(carried, bytes(16))


def filled(carried: SharedKeyDescriptor, value: bytes) -> SharedKeyDescriptor:
    return replace(carried, descriptor=carried.key_descriptor(16).with_mic(value).encode())


def nd_kck(values: Mapping[str, bytes], addresses: bytes) -> bytes:
    context = addresses + values["initiator_nonce"] + values["responder_nonce"]
    return kdf(values["nd_pmk"], b"NAN Pairwise key expansion", context, 384)[:16]


def token_without_mic(values: Mapping[str, bytes]) -> bytes:
    """The hash of M1 without the 16 zero octets of its MIC: they stand 78 octets after the head of the SKDA."""
    m1, at = values["auth_token_input"], 7
    while m1[at] != 0x24:
        at += 3 + int.from_bytes(m1[at + 1 : at + 3], "little")
    place = at + 3 + 78
    assert m1[place : place + 16] == bytes(16)
    return hashlib.sha256(m1[:place] + m1[place + 16 :]).digest()[:16]


DATA_PATH_MICS: dict[str, tuple[Wrong, str]] = {
    "ND-PTK from management instead of data interface addresses": (
        wrong_data_path_mic(6, lambda home, body, v: mic(nd_kck(v, PHONE + CAMERA), body)),
        "MIC of M2",
    ),
    "ND-PTK from responder || initiator": (
        wrong_data_path_mic(6, lambda home, body, v: mic(nd_kck(v, CAMERA_NDI + PHONE_NDI), body)),
        "MIC of M2",
    ),
    "MIC over the category protected dual, not the one of the frame": (
        wrong_data_path_mic(6, lambda home, body, v: mic(v["kck"], b"\x09" + body[1:])),
        "MIC of M2",
    ),
    "authentication token over M1 without its MIC field": (
        wrong_data_path_mic(7, lambda home, body, v: mic(v["kck"], token_without_mic(v) + body)),
        "MIC of M3",
    ),
    "MIC of M3 without the authentication token": (
        wrong_data_path_mic(7, lambda home, body, v: mic(v["kck"], body)),
        "MIC of M3",
    ),
    "MIC over the body up to the key descriptor": (
        wrong_data_path_mic(6, lambda home, body, v: mic(v["kck"], up_to_descriptor(body))),
        "MIC of M2",
    ),
}


def up_to_descriptor(body: bytes) -> bytes:
    at = 7
    while body[at] != 0x24:
        at += 3 + int.from_bytes(body[at + 1 : at + 3], "little")
    return body[: at + 3 + int.from_bytes(body[at + 1 : at + 3], "little")]


def is_mistake(finding: Finding, name: str) -> bool:
    return finding.outcome is Outcome.MISTAKE and name in finding.because


@pytest.mark.parametrize("name", DATA_PATH_MICS)
def test_mistake_in_the_mic_of_a_data_path_message_is_named(name: str) -> None:
    wrong, failed = DATA_PATH_MICS[name]
    home = passphrase_home(wrong)
    assert_named(home, name)
    told = [each for each in findings_of(home) if each.event["type"] == "DataPathFailed" and is_mistake(each, name)]
    assert [each.failed for each in told] == [failed]
    assert told[0].expected == told[0].values[f"m{failed[-1]}_mic"].hex() != told[0].came


def test_the_weak_hash_for_the_pmk_of_a_paired_data_path_is_named() -> None:
    """One vendor hashes with SHA-256 whatever the suite."""

    def mistaken(home: RecordedHome, right: bytes) -> tuple[int, bytes]:
        keys = home.phone.device.keys(CAMERA)
        assert keys is not None
        weak = kdf(keys.nm_kdk, b"NDP PMK Derivation", PHONE + CAMERA, 256)
        return 5, pmkid(weak, PHONE + CAMERA, "sha384")

    home = RecordedHome(context_with(mistaken)).pair(8).open()
    assert_named(home, "SHA256 for ND-PMK, expected SHA384: the cipher suite decides")


def test_public_category_inside_the_mic_after_pairing_is_named() -> None:
    wrong = wrong_data_path_mic(6, lambda home, body, v: mic(v["kck"], b"\x04" + body[1:]))
    home = RecordedHome(wrong).pair().open()
    assert_named(home, "MIC over the category public, not the one of the frame")


# Protection


def test_nonce_flags_of_a_data_frame_in_a_protected_one_are_named() -> None:
    def wrong(home: RecordedHome, frame: bytes) -> bytes:
        read = ManagementFrame.decode(frame)
        if not read.is_protected or frame[10:16] != PHONE:
            return frame
        keys = home.phone.device.keys(CAMERA)
        assert keys is not None
        number = bytes((*frame[31:27:-1], frame[25], frame[24]))
        data = frame[:2] + frame[4:22] + b"\0\0"
        plain = AESCCM(keys.nm_tk, 8).decrypt(b"\x10" + PHONE + number, frame[32:], data)
        return frame[:32] + AESCCM(keys.nm_tk, 8).encrypt(b"\0" + PHONE + number, plain, data)

    home = RecordedHome(wrong, phone={"is_encrypting": True}, camera={"is_encrypting": True}).pair()
    finding = assert_named(home, "nonce flags 00, expected 10")
    assert finding.event["type"] == "FrameIgnored"
