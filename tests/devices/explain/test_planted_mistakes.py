"""Transcripts of a pair of devices one of which makes one mistake: the explanation names it, and nothing is left over.

Mistaken values are computed with the standard library from the intermediate values of the device that sends them.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from pairing.ieee80211.elements import ElementId, ExtensionId
from pairing.nan.attributes import (
    Attribute,
    BootstrappingMethods,
    IdentityResolution,
    PairingBootstrapping,
    ServiceDescriptor,
    SharedKeyDescriptor,
    decode_attributes,
)
from pairing.nan.attributes.pairing import NpbaType
from pairing.nan.bootstrapping_rules import BootstrappingProfile, MethodReading
from pairing.nan.frames import decode_nan_frame
from pairing.pasn.messages import PasnFrame
from pairing.sae.messages import join_bodies, split_bodies
from tests.support.nan_air import CAMERA, PHONE
from tests.support.nan_transcript import RecordedHome, Wrong, data_path_number, is_pasn, is_unicast
from tests.support.planted_mistakes import assert_named, attribute_in_pasn, element, kdf, mic, nan, pasn

M = BootstrappingMethods
LABEL = b"PASN PTK Derivation"


def camera_values(home: RecordedHome) -> Mapping[str, bytes]:
    """What the camera has derived in PASN."""
    attempt = home.camera.device.attempt(PHONE)
    assert attempt is not None
    return attempt.intermediates.pasn


def phone_values(home: RecordedHome) -> Mapping[str, bytes]:
    attempt = home.phone.device.attempt(CAMERA)
    assert attempt is not None
    return attempt.intermediates.pasn


# PASN: proofs


def wrong_mic_2(made: Callable[[Mapping[str, bytes], PasnFrame], bytes]) -> Wrong:
    """The camera computes the MIC of frame 2 otherwise."""

    def wrong(home: RecordedHome, frame: bytes) -> bytes:
        if not is_pasn(frame, 2):
            return frame
        return pasn(frame, lambda body: body.with_mic(made(camera_values(home), body)))

    return wrong


def longer_mic(values: Mapping[str, bytes], frame: PasnFrame) -> bytes:
    """Suite 8 with SHA-384 although the AKM is SAE: PTK, and a MIC of 24 octets."""
    context = PHONE + CAMERA + values["dh_shared_secret"]
    kck = kdf(values["pmk"], LABEL, context, 8 * (32 + 32 + 32), "sha384")[:32]
    covered = CAMERA + PHONE + frame.covered_elements + frame.with_mic(bytes(24)).with_zero_mic()
    return mic(kck, covered, 24, "sha384")


PASN_PROOFS: dict[str, tuple[Wrong, int]] = {
    "PTK from responder || initiator": (
        wrong_mic_2(
            lambda v, f: mic(kdf(v["pmk"], LABEL, CAMERA + PHONE + v["dh_shared_secret"], 640)[:32], v["mic2_input"])
        ),
        7,
    ),
    "MIC covers receiver || sender": (
        wrong_mic_2(lambda v, f: mic(v["kck"], PHONE + CAMERA + f.covered_elements + f.with_zero_mic())),
        7,
    ),
    "MIC lacks the RSNE and RSNXE": (wrong_mic_2(lambda v, f: mic(v["kck"], CAMERA + PHONE + f.with_zero_mic())), 7),
    "PTK without KDK": (
        wrong_mic_2(
            lambda v, f: mic(kdf(v["pmk"], LABEL, PHONE + CAMERA + v["dh_shared_secret"], 384)[:32], v["mic2_input"])
        ),
        7,
    ),
    "SHA384 for PTK and MIC, expected SHA256: the AKM decides": (wrong_mic_2(longer_mic), 8),
}


@pytest.mark.parametrize("name", PASN_PROOFS)
def test_mistake_in_the_mic_of_frame_2_is_named(name: str) -> None:
    wrong, suite = PASN_PROOFS[name]
    finding = assert_named(RecordedHome(wrong).pair(suite), name)
    assert finding.failed == "MIC in PASN frame 2"
    assert finding.expected == finding.values["mic2"].hex() != finding.came
    assert {"pmk", "dh_shared_secret", "kck", "mic2_input"} <= finding.values.keys()


def test_frame_1_in_place_of_its_hash_in_the_mic_of_frame_3_is_named() -> None:
    def wrong(home: RecordedHome, frame: bytes) -> bytes:
        if not is_pasn(frame, 3):
            return frame
        first = next(each for each in home.wire.sent if is_pasn(each, 1))
        covered = PHONE + CAMERA + first[24:]
        return pasn(frame, lambda body: body.with_mic(mic(phone_values(home)["kck"], covered + body.with_zero_mic())))

    finding = assert_named(RecordedHome(wrong).pair(), "MIC covers frame 1 instead of its hash")
    assert finding.failed == "MIC in PASN frame 3"
    assert finding.event["actor"] == "camera"


def test_big_endian_send_confirm_is_named_with_the_values_of_sae() -> None:
    def changed(home: RecordedHome, data: bytes) -> bytes:
        attempt = home.camera.device.attempt(PHONE)
        assert attempt is not None
        sae = attempt.intermediates.sae
        covered = b"".join(sae[name] for name in ("own_scalar", "own_element", "peer_scalar", "peer_element"))
        commit, confirm = split_bodies(data)
        return join_bodies(commit, confirm[:8] + hmac.digest(sae["kck"], b"\x00\x01" + covered, "sha256"))

    def wrong(home: RecordedHome, frame: bytes) -> bytes:
        if not is_pasn(frame, 2):
            return frame
        number, extension = ElementId.EXTENSION, ExtensionId.WRAPPED_DATA
        return pasn(frame, lambda body: element(body, number, lambda data: changed(home, data), extension))

    finding = assert_named(RecordedHome(wrong).pair(), "send-confirm is big endian")
    assert finding.failed == "SAE Confirm in PASN frame 2"
    assert len(finding.expected) == len(finding.came) == 64
    assert finding.values["sae.kck"]


# PASN: form


def in_element(number: int, kind: int, change: Callable[[bytes], bytes], extension: int | None = None) -> Wrong:
    """One of PASN's frames has one element otherwise."""
    return lambda home, frame: (
        pasn(frame, lambda body: element(body, kind, change, extension)) if is_pasn(frame, number) else frame
    )


def without_lengths(data: bytes) -> bytes:
    return b"".join(split_bodies(data))


def key_without_prefix(data: bytes) -> bytes:
    return data[:4] + bytes((len(data[6:]),)) + data[6:]


WRAPPED, PARAMETERS = ExtensionId.WRAPPED_DATA, ExtensionId.PASN_PARAMETERS
PASN_FORMS: dict[str, tuple[Wrong, str]] = {
    "the SAE data of frame 2 have no length before each body": (
        in_element(2, ElementId.EXTENSION, without_lengths, WRAPPED),
        "phone",
    ),
    "the SAE data of frame 1 have a length before them": (
        in_element(1, ElementId.EXTENSION, lambda data: len(data).to_bytes(2, "little") + data, WRAPPED),
        "camera",
    ),
    "the public key is x alone, without 02 before it": (
        in_element(1, ElementId.EXTENSION, key_without_prefix, PARAMETERS),
        "camera",
    ),
    "the group in the PASN Parameters is big endian": (
        in_element(1, ElementId.EXTENSION, lambda data: data[:2] + data[3:1:-1] + data[4:], PARAMETERS),
        "camera",
    ),
    "capable (MFPC) but not required (MFPR)": (
        in_element(1, ElementId.RSN, lambda data: data[:18] + b"\x80\x00" + data[20:]),
        "camera",
    ),
    "SAE by hunting and pecking": (
        in_element(1, ElementId.EXTENSION, lambda data: data[:4] + b"\0\0" + data[6:], WRAPPED),
        "camera",
    ),
}


@pytest.mark.parametrize("name", PASN_FORMS)
def test_mistake_in_the_form_of_a_frame_is_named(name: str) -> None:
    wrong, finder = PASN_FORMS[name]
    assert assert_named(RecordedHome(wrong).pair(), name).event["actor"] == finder


# Names and identities


def test_name_that_is_not_lower_cased_is_named() -> None:
    name = "_Camera._udp"
    spelled = hashlib.sha256(name.encode()).digest()[:6]

    def wrong(home: RecordedHome, frame: bytes) -> bytes:
        if frame[10:16] != PHONE:
            return frame
        return nan(
            frame, lambda each: replace(each, service_id=spelled) if isinstance(each, ServiceDescriptor) else each
        )

    home = RecordedHome(wrong, phone_session={"name": name}, camera_session={"name": name})
    assert "PeerDiscovered" not in {type(each).__name__ for each in home.phone.events}
    finding = assert_named(home, "the name is hashed without lower-casing")
    assert "'_Camera._udp'" in finding.because


def verified_with(made: Callable[[RecordedHome, IdentityResolution], IdentityResolution]) -> RecordedHome:
    """The phone pairs, then verifies with an identity that it gets otherwise."""

    def wrong(home: RecordedHome, frame: bytes) -> bytes:
        if not is_pasn(frame, 1) or not home.phone.device.paired_peers:
            return frame
        body = PasnFrame.decode(frame[24:])
        right = next(each for each in decode_attributes(body.nan or b"") if isinstance(each, IdentityResolution))
        other = made(home, right)
        body = attribute_in_pasn(body, lambda each: other if isinstance(each, IdentityResolution) else each)
        pmkid = other.nonce + other.tag
        body = element(body, ElementId.RSN, lambda data: data.replace(right.nonce + right.tag, pmkid))
        return frame[:24] + body.encode()

    return RecordedHome(wrong).pair().verify()


def nik(home: RecordedHome) -> bytes:
    return bytes.fromhex(str(home.phone.device.snapshot()["nik"]))


def tag(key: bytes, covered: bytes) -> bytes:
    return hmac.digest(key, covered, "sha256")[:8]


IDENTITIES: dict[str, Callable[[RecordedHome, IdentityResolution], IdentityResolution]] = {
    "the tag covers the receiver's NMI": lambda home, right: replace(
        right, tag=tag(nik(home), b"NIR" + CAMERA + right.nonce)
    ),
    "the tag covers the nonce before the NMI": lambda home, right: replace(
        right, tag=tag(nik(home), b"NIR" + right.nonce + PHONE)
    ),
    "the tag is made with the receiver's NIK": lambda home, right: replace(
        right, tag=tag(bytes.fromhex(str(home.camera.device.snapshot()["nik"])), b"NIR" + PHONE + right.nonce)
    ),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_mistake_in_the_identity_of_verification_is_named(name: str) -> None:
    finding = assert_named(verified_with(IDENTITIES[name]), name)
    assert finding.event["cause"] == "unknown-peer"


# The NIK exchange


def nik_frame(change: Callable[[RecordedHome, bytes], bytes]) -> Wrong:
    """The phone's NIK goes out with other key data; `change` has them plain and padded."""

    def wrong(home: RecordedHome, frame: bytes) -> bytes:
        is_ours = frame[10:16] == PHONE and frame[:1] == b"\xd0" and is_unicast(frame) and not data_path_number(frame)
        if not is_ours or decode_nan_frame(frame).find(SharedKeyDescriptor) is None:
            return frame
        return nan(frame, lambda each: changed(home, each) if isinstance(each, SharedKeyDescriptor) else each)

    def changed(home: RecordedHome, carried: SharedKeyDescriptor) -> SharedKeyDescriptor:
        keys = home.phone.device.keys(CAMERA)
        assert keys is not None
        descriptor = carried.key_descriptor(0)
        data = change(home, aes_key_unwrap(keys.nm_kek, descriptor.key_data))
        return replace(carried, descriptor=replace(descriptor, key_data=data).encode())

    return wrong


def kek(home: RecordedHome, name: str, context: bytes, length: int) -> bytes:
    keys = home.phone.device.keys(CAMERA)
    assert keys is not None
    return kdf(keys.nm_kdk, b"NAN Management KEK Derivation", context, 8 * length, name)


NIKS: dict[str, tuple[Wrong, int]] = {
    "SHA256 for NM-KEK, expected SHA384": (
        nik_frame(lambda home, plain: aes_key_wrap(kek(home, "sha256", PHONE + CAMERA, 32), plain)),
        8,
    ),
    "NM-KEK from responder || initiator": (
        nik_frame(lambda home, plain: aes_key_wrap(kek(home, "sha256", CAMERA + PHONE, 16), plain)),
        7,
    ),
    "the key data are in clear": (nik_frame(lambda home, plain: plain), 7),
}


@pytest.mark.parametrize("name", NIKS)
def test_mistake_in_the_nik_exchange_is_named(name: str) -> None:
    wrong, suite = NIKS[name]
    finding = assert_named(RecordedHome(wrong).pair(suite), name)
    assert finding.event["actor"] == "camera"


# Bootstrapping


def test_the_bit_of_the_own_role_where_the_peers_was_expected_is_named() -> None:
    ios = BootstrappingProfile(reading=MethodReading.PEER_ADVERTISED)
    home = RecordedHome(camera={"bootstrapping": ios}, camera_session={"methods": M.PIN_DISPLAY})
    finding = assert_named(home.bootstrap(M.PIN_KEYPAD), "the request names the initiator's role")
    assert finding.failed.startswith("bootstrapping")


def request_with(change: Callable[[PairingBootstrapping], PairingBootstrapping]) -> Wrong:
    """The phone's bootstrapping requests are otherwise."""

    def changed(each: Attribute) -> Attribute:
        is_request = isinstance(each, PairingBootstrapping) and each.type == NpbaType.REQUEST
        return change(each) if is_request and isinstance(each, PairingBootstrapping) else each

    return lambda home, frame: nan(frame, changed) if frame[10:16] == PHONE and frame[:1] == b"\xd0" else frame


BOOTSTRAPPING: dict[str, Wrong] = {
    "the bitmap of methods is big endian": request_with(lambda each: replace(each, methods=M(each.methods.value << 8))),
    "this one names 2": request_with(lambda each: replace(each, methods=each.methods | M.QR_SCAN)),
}


@pytest.mark.parametrize("name", BOOTSTRAPPING)
def test_mistake_in_a_bootstrapping_request_is_named(name: str) -> None:
    home = RecordedHome(BOOTSTRAPPING[name], camera_session={"methods": M.PIN_DISPLAY})
    assert_named(home.bootstrap(M.PIN_KEYPAD), name)


# Without secrets


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (PASN_PROOFS["PTK from responder || initiator"][0], "PTK from responder || initiator"),
        (PASN_FORMS["SAE by hunting and pecking"][0], "SAE by hunting and pecking"),
        (NIKS["NM-KEK from responder || initiator"][0], "NM-KEK from responder || initiator"),
    ],
)
def test_mistakes_are_named_without_any_secret_in_the_transcript(wrong: Wrong, name: str) -> None:
    home = RecordedHome(wrong, secrets=False).pair()
    finding = assert_named(home, name)
    assert finding.values == {}
