"""Robust management frames: captured CCMP and GCMP frames are the judge; packet numbers, replays, hostile input."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import (
    AuthenticationError,
    DecodeError,
    EncodeError,
    LocalProtocolError,
    PairingError,
    RemoteProtocolError,
)
from pairing.ieee80211.elements import CipherSuite
from pairing.ieee80211.frames import FrameFlags, ManagementFrame, Subtype
from pairing.ieee80211.protection import CipherHeader, Protection, encrypt
from tests.support.pasn_captures import load

SUITES = [(CipherSuite.CCMP_128, bytes(range(16))), (CipherSuite.GCMP_256, bytes(range(32)))]
FRAME = ManagementFrame(
    Subtype.ACTION, b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02", b"\x50\x6f\x9a\x01\0\0", b"\x09\x09body"
)


@pytest.mark.parametrize(
    ("name", "cipher"),
    [("password_protected_128_01", CipherSuite.CCMP_128), ("password_protected_256_01", CipherSuite.GCMP_256)],
)
def test_captured_frames_are_protected_to_their_octets(name: str, cipher: CipherSuite) -> None:
    document = load(name)
    links = {
        role: Protection(cipher, bytes.fromhex(document[role]["keys"]["nm_tk"])) for role in ("initiator", "responder")
    }
    protected = [frame for frame in document["frames"] if "protected_hex" in frame]
    assert len(protected) >= 6
    for frame in protected:
        receiver = "responder" if frame["from"] == "initiator" else "initiator"
        plain = ManagementFrame.decode(bytes.fromhex(frame["hex"]))
        sealed = links[frame["from"]].protect(plain)
        assert sealed.encode().hex() == frame["protected_hex"]
        assert links[receiver].unprotect(ManagementFrame.decode(bytes.fromhex(frame["protected_hex"]))) == plain


@pytest.mark.parametrize(("cipher", "key"), SUITES)
def test_packet_numbers_count_from_one(cipher: CipherSuite, key: bytes) -> None:
    link = Protection(cipher, key)
    numbers = [CipherHeader.decode(link.protect(FRAME).body[:8]).packet_number for _ in range(3)]
    assert numbers == [1, 2, 3]
    assert (link.sent, link.received) == (3, 0)


@pytest.mark.parametrize(("cipher", "key"), SUITES)
def test_replayed_and_overtaken_frames_are_refused(cipher: CipherSuite, key: bytes) -> None:
    one, other = Protection(cipher, key), Protection(cipher, key)
    first, second = one.protect(FRAME), one.protect(FRAME)
    assert other.unprotect(second) == FRAME
    for stale in (second, first):
        with pytest.raises(RemoteProtocolError, match="repeats"):
            other.unprotect(stale)
    assert other.unprotect(one.protect(FRAME)) == FRAME


@pytest.mark.parametrize(("cipher", "key"), SUITES)
def test_forged_frame_does_not_move_the_replay_counter(cipher: CipherSuite, key: bytes) -> None:
    one, other = Protection(cipher, key), Protection(cipher, key)
    forged = encrypt(cipher, bytes(len(key)), FRAME, 1000)
    with pytest.raises(AuthenticationError):
        other.unprotect(forged)
    assert other.received == 0
    assert other.unprotect(one.protect(FRAME)) == FRAME


@pytest.mark.parametrize(("cipher", "key"), SUITES)
def test_retransmission_may_change_the_bits_that_are_not_covered(cipher: CipherSuite, key: bytes) -> None:
    sealed = Protection(cipher, key).protect(FRAME)
    again = replace(sealed, flags=sealed.flags | FrameFlags.RETRY, sequence_control=0x1230)
    assert Protection(cipher, key).unprotect(again).body == FRAME.body


@pytest.mark.parametrize(("cipher", "key"), SUITES)
@pytest.mark.parametrize("field", ["receiver", "transmitter", "bssid"])
def test_addresses_are_covered(cipher: CipherSuite, key: bytes, field: str) -> None:
    sealed = Protection(cipher, key).protect(FRAME)
    moved = replace(sealed, **{field: b"\x02\0\0\0\0\x09"})  # type: ignore[arg-type]
    with pytest.raises(AuthenticationError):
        Protection(cipher, key).unprotect(moved)


@pytest.mark.parametrize(("cipher", "key"), SUITES)
@given(body=st.binary(max_size=60))
def test_arbitrary_bodies_end_in_a_named_error(cipher: CipherSuite, key: bytes, body: bytes) -> None:
    link = Protection(cipher, key)
    with pytest.raises(PairingError) as caught:
        link.unprotect(replace(FRAME, body=body, flags=FrameFlags.PROTECTED))
    assert isinstance(caught.value, DecodeError | AuthenticationError | RemoteProtocolError)
    assert link.received == 0


def test_plain_frame_is_refused_once_a_key_is_in_use() -> None:
    with pytest.raises(RemoteProtocolError, match="not protected"):
        Protection(*SUITES[0]).unprotect(FRAME)


def test_group_frames_and_wrong_key_lengths_are_the_callers_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        Protection(*SUITES[0]).protect(replace(FRAME, receiver=b"\xff" * 6))
    with pytest.raises(LocalProtocolError):
        Protection(CipherSuite.GCMP_256, bytes(16))


@given(st.integers(1, 2**48 - 1), st.integers(0, 3))
def test_cipher_header_round_trips(number: int, key_id: int) -> None:
    header = CipherHeader(number, key_id)
    assert CipherHeader.decode(header.encode()) == header


def test_cipher_header_refuses_what_has_no_form() -> None:
    for number, key_id in ((0, 0), (2**48, 0), (1, 4)):
        with pytest.raises(EncodeError):
            CipherHeader(number, key_id).encode()
    with pytest.raises(DecodeError, match="extended IV"):
        CipherHeader.decode(bytes(8))


def test_key_is_not_in_the_repr() -> None:
    assert repr(Protection(*SUITES[0])) == "Protection(CCMP_128, sent=0, received=0)"
