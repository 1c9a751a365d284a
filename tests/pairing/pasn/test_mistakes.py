"""A proof made with a known mistake is refused by the mistake's name; a wrong key or a changed frame has none.

The mistaken values are computed here from the standard library alone.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest

from pairing.errors import AuthenticationError
from pairing.ieee80211.elements import wrapped_data
from pairing.pasn.events import PasnFailed, PasnMode
from pairing.pasn.key_schedule import NCS_PK_PASN_128, NCS_PK_PASN_256, PasnSuite
from pairing.pasn.messages import PasnFrame
from pairing.sae.messages import SaeConfirm, join_bodies, split_bodies
from tests.support.pasn_pair import CAMERA, PHONE, Pair, body_of, rebuilt

Values = dict[str, bytes]


def mac(kck: bytes, covered: bytes, name: str = "sha256") -> bytes:
    return hmac.digest(kck, covered, name)[: 16 if name == "sha256" else 24]


def kdf(
    key: bytes,
    label: bytes,
    context: bytes,
    bits: int,
    name: str = "sha256",
    order: Literal["little", "big"] = "little",
) -> bytes:
    length = bits.to_bytes(2, order)
    blocks = (hmac.digest(key, index.to_bytes(2, order) + label + context + length, name) for index in range(1, 6))
    return b"".join(blocks)


LABEL = b"PASN PTK Derivation"
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def y_of(x: bytes) -> bytes:
    """One of the two y coordinates on P-256."""
    number = int.from_bytes(x, "big")
    return pow(number**3 - 3 * number + B, (P + 1) // 4, P).to_bytes(32, "big")


def ptk_kck(values: Values, addresses: bytes = PHONE + CAMERA, bits: int = 640, name: str = "sha256") -> bytes:
    return kdf(values["pmk"], b"PASN PTK Derivation", addresses + values["dh_shared_secret"], bits, name)[:32]


def parts(frame: PasnFrame) -> tuple[bytes, bytes]:
    """RSNE and RSNXE of frame 2 with their headers."""
    rsne, rsnxe = frame.find(48), frame.find(244)
    return (b"" if rsne is None else rsne.encode()), (b"" if rsnxe is None else rsnxe.encode())


MIC_2: dict[str, Callable[[Values, PasnFrame], bytes]] = {
    "receiver || sender": lambda v, f: mac(v["kck"], PHONE + CAMERA + b"".join(parts(f)) + f.with_zero_mic()),
    "without its MIC element": lambda v, f: mac(v["kck"], CAMERA + PHONE + b"".join(parts(f)) + f.encode()[:-18]),
    "lacks the RSNE and RSNXE": lambda v, f: mac(v["kck"], CAMERA + PHONE + f.with_zero_mic()),
    "without their headers": lambda v, f: mac(
        v["kck"], CAMERA + PHONE + b"".join(part[2:] for part in parts(f)) + f.with_zero_mic()
    ),
    "without the RSNXE": lambda v, f: mac(v["kck"], CAMERA + PHONE + parts(f)[0] + f.with_zero_mic()),
    "responder || initiator": lambda v, f: mac(ptk_kck(v, CAMERA + PHONE), v["mic2_input"]),
    "PTK without KDK": lambda v, f: mac(ptk_kck(v, bits=384), v["mic2_input"]),
    "with a KEK between": lambda v, f: mac(ptk_kck(v, bits=768), v["mic2_input"]),
    "counter and length big endian": lambda v, f: mac(
        kdf(v["pmk"], LABEL, PHONE + CAMERA + v["dh_shared_secret"], 640, order="big")[:32], v["mic2_input"]
    ),
    "label with a zero octet": lambda v, f: mac(
        kdf(v["pmk"], LABEL + b"\0", PHONE + CAMERA + v["dh_shared_secret"], 640)[:32], v["mic2_input"]
    ),
    "coordinate little endian": lambda v, f: mac(
        kdf(v["pmk"], LABEL, PHONE + CAMERA + v["dh_shared_secret"][::-1], 640)[:32], v["mic2_input"]
    ),
    "x and y of the ECDH point": lambda v, f: mac(
        kdf(v["pmk"], LABEL, PHONE + CAMERA + v["dh_shared_secret"] + y_of(v["dh_shared_secret"]), 640)[:32],
        v["mic2_input"],
    ),
    "hash of the ECDH secret": lambda v, f: mac(
        kdf(v["pmk"], LABEL, PHONE + CAMERA + hashlib.sha256(v["dh_shared_secret"]).digest(), 640)[:32],
        v["mic2_input"],
    ),
    "secret before the addresses": lambda v, f: mac(
        kdf(v["pmk"], LABEL, v["dh_shared_secret"] + PHONE + CAMERA, 640)[:32], v["mic2_input"]
    ),
}
"""Part of the mistake's name -> the MIC of frame 2 that it gives, suite 7."""


def played(
    number: int,
    change: Callable[[Pair, PasnFrame], PasnFrame],
    suite: PasnSuite = NCS_PK_PASN_128,
    mode: PasnMode = PasnMode.PASSWORD,
) -> PasnFailed:
    """How the receiver of a changed frame fails."""
    pairs: list[Pair] = []

    def bend(index: int, frame: bytes) -> tuple[bytes, ...]:
        if body_of(frame).transaction != number:
            return (frame,)
        return (rebuilt(frame, lambda body: change(pairs[0], body)),)

    pairs.append(Pair(mode, suite, bend=bend))
    pairs[0].run()
    failed = (pairs[0].phone_events if number == 2 else pairs[0].camera_events)[-1]
    assert isinstance(failed, PasnFailed)
    assert isinstance(failed.error, AuthenticationError)
    assert failed.mistake in str(failed.error)
    return failed


@pytest.mark.parametrize("name", MIC_2)
def test_mistaken_mic_of_frame_2_is_refused_by_name(name: str) -> None:
    failed = played(2, lambda pair, frame: frame.with_mic(MIC_2[name](dict(pair.camera.intermediates.pasn), frame)))
    assert name in failed.mistake


def test_hash_of_the_suite_in_place_of_the_akms_is_refused_by_name() -> None:
    def change(pair: Pair, frame: PasnFrame) -> PasnFrame:
        values = dict(pair.camera.intermediates.pasn)
        longer = frame.with_mic(bytes(24))
        covered = CAMERA + PHONE + b"".join(parts(frame)) + longer.with_zero_mic()
        return longer.with_mic(mac(ptk_kck(values, bits=768, name="sha384"), covered, "sha384"))

    failed = played(2, change, NCS_PK_PASN_256)
    assert failed.mistake == "SHA384 for PTK and MIC, expected SHA256: the AKM decides"


def test_frame_1_in_place_of_its_hash_is_refused_by_name() -> None:
    def change(pair: Pair, frame: PasnFrame) -> PasnFrame:
        kck = pair.phone.intermediates.pasn["kck"]
        return frame.with_mic(mac(kck, PHONE + CAMERA + pair.sent[0][24:] + frame.with_zero_mic()))

    assert "instead of its hash" in played(3, change).mistake


def test_missing_hash_of_frame_1_is_refused_by_name() -> None:
    def change(pair: Pair, frame: PasnFrame) -> PasnFrame:
        kck = pair.phone.intermediates.pasn["kck"]
        return frame.with_mic(mac(kck, PHONE + CAMERA + frame.with_zero_mic()))

    assert "lacks the hash of frame 1" in played(3, change).mistake


def test_zeros_for_the_pmk_of_an_opportunistic_pairing_are_refused_by_name() -> None:
    def change(pair: Pair, frame: PasnFrame) -> PasnFrame:
        values = {**pair.camera.intermediates.pasn, "pmk": bytes(32)}
        return frame.with_mic(mac(ptk_kck(values), values["mic2_input"]))

    assert "PMK of zeros" in played(2, change, mode=PasnMode.OPPORTUNISTIC).mistake


def test_elements_of_frame_1_in_place_of_those_of_frame_2_are_refused_by_name() -> None:
    def change(pair: Pair, frame: PasnFrame) -> PasnFrame:
        first = body_of(pair.sent[0])
        kck = pair.camera.intermediates.pasn["kck"]
        return frame.with_mic(mac(kck, CAMERA + PHONE + b"".join(parts(first)) + frame.with_zero_mic()))

    assert "of frame 1, expected those of frame 2" in played(2, change).mistake


def test_mic_of_another_length_is_refused_by_name() -> None:
    def change(pair: Pair, frame: PasnFrame) -> PasnFrame:
        kck, longer = pair.camera.intermediates.pasn["kck"], frame.with_mic(bytes(24))
        covered = CAMERA + PHONE + b"".join(parts(frame)) + longer.with_zero_mic()
        return longer.with_mic(hmac.digest(kck, covered, "sha256")[:24])

    assert played(2, change).mistake == "MIC of 24 octets, expected 16"


def sae_mistakes(values: Values) -> dict[str, bytes]:
    """Part of the mistake's name -> the Confirm of the camera that it gives, suite 8."""
    own, peer = values["own_scalar"] + values["own_element"], values["peer_scalar"] + values["peer_element"]
    order = int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16)
    total = int.from_bytes(values["own_scalar"], "big") + int.from_bytes(values["peer_scalar"], "big")
    context, label = (total % order).to_bytes(48, "big"), b"SAE KCK and PMK"
    short = kdf(values["keyseed"], label, context, 512, "sha384")[:32]
    blank = kdf(values["keyseed"], label, bytes(48), 640, "sha384")[:48]
    elements_first = b"".join(values[name] for name in ("own_element", "own_scalar", "peer_element", "peer_scalar"))
    return {
        "receiver's Commit before": hmac.digest(values["kck"], b"\x01\x00" + peer + own, "sha384"),
        "big endian": hmac.digest(values["kck"], b"\x00\x01" + own + peer, "sha384"),
        "does not cover send-confirm": hmac.digest(values["kck"], own + peer, "sha384"),
        "elements before scalars": hmac.digest(values["kck"], b"\x01\x00" + elements_first, "sha384"),
        "KCK of 32 octets": hmac.digest(short, b"\x01\x00" + own + peer, "sha384"),
        "without the sum": hmac.digest(blank, b"\x01\x00" + own + peer, "sha384"),
    }


SAE_MISTAKES = [
    "receiver's Commit before",
    "big endian",
    "does not cover send-confirm",
    "elements before scalars",
    "KCK of 32 octets",
    "without the sum",
]


@pytest.mark.parametrize("name", SAE_MISTAKES)
def test_mistaken_confirm_is_refused_by_name(name: str) -> None:
    def change(pair: Pair, frame: PasnFrame) -> PasnFrame:
        commit, confirm = split_bodies(frame.wrapped or b"")
        wrong = replace(
            SaeConfirm.decode(confirm), confirm=sae_mistakes(dict(pair.camera.intermediates.sae))[name]
        ).encode()
        wrapped = wrapped_data(join_bodies(commit, wrong))
        return replace(frame, elements=tuple(wrapped if each.extension == 8 else each for each in frame.elements))

    assert name in played(2, change, NCS_PK_PASN_256).mistake


def test_wrong_password_is_no_known_mistake() -> None:
    pair = Pair(phrases=("right", "wrong"))
    pair.run()
    failed = pair.phone_events[-1]
    assert isinstance(failed, PasnFailed)
    assert failed.mistake == ""
    assert "another password" in str(failed.error)


def test_test_vectors_here_agree_with_the_right_mic() -> None:
    pair = Pair()
    pair.run()
    values = dict(pair.camera.intermediates.pasn)
    assert ptk_kck(values) == values["kck"]
    assert mac(values["kck"], values["mic2_input"]) == values["mic2"] == body_of(pair.sent[1]).mic
    digest = hashlib.sha256(pair.sent[0][24:]).digest()
    covered = PHONE + CAMERA + digest + body_of(pair.sent[2]).with_zero_mic()
    assert mac(values["kck"], covered) == values["mic3"]
