"""Records: round trips, protection, the replay window."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from hypothesis import given
from hypothesis import strategies as st

from pairing.dtls.alerts import Alert, alert_name
from pairing.dtls.record import (
    ContentType,
    DtlsRecord,
    ReadProtection,
    ReplayWindow,
    WriteProtection,
    check_plaintext,
    decode_records,
)
from pairing.dtls.record_layer import RecordLayer
from pairing.errors import AuthenticationError, DecodeError, EncodeError, LocalProtocolError, RemoteProtocolError

KEY, IV = bytes(range(16)), b"\1\2\3\4"

records = st.builds(
    DtlsRecord,
    st.integers(0, 255),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
    st.integers(0, (1 << 48) - 1),
    st.binary(max_size=80),
)


@given(st.lists(records, min_size=1, max_size=4))
def test_datagram_of_records_round_trips(given_records: list[DtlsRecord]) -> None:
    datagram = b"".join(each.encode() for each in given_records)
    assert decode_records(datagram) == tuple(given_records)


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda rest: b"\x16\xfe\xfd" + bytes(8) + rest))
def test_arbitrary_octets_are_records_or_a_decode_error(data: bytes) -> None:
    try:
        found = decode_records(data)
    except DecodeError:
        return
    assert b"".join(each.encode() for each in found) == data


@given(records)
def test_protected_record_opens_to_its_plaintext(record: DtlsRecord) -> None:
    sealed = WriteProtection(KEY, IV).protect(record)
    assert len(sealed.fragment) == len(record.fragment) + 16
    assert sealed.fragment[:8] == record.epoch_and_sequence
    assert ReadProtection(KEY, IV).open(sealed) == record.fragment


@given(records, st.integers(0, 10_000))
def test_altered_record_does_not_open(record: DtlsRecord, place: int) -> None:
    sealed = WriteProtection(KEY, IV).protect(record)
    octets = bytearray(sealed.fragment)
    octets[place % len(octets)] ^= 1
    with pytest.raises(AuthenticationError):
        ReadProtection(KEY, IV).open(replace(sealed, fragment=bytes(octets)))


@pytest.mark.parametrize("changes", [{"epoch": 2}, {"sequence": 8}, {"content_type": 21}, {"version": 0xFEFF}])
def test_header_is_authenticated(changes: dict[str, int]) -> None:
    sealed = WriteProtection(KEY, IV).protect(DtlsRecord(ContentType.APPLICATION_DATA, 0xFEFD, 1, 7, b"data"))
    with pytest.raises(AuthenticationError):
        ReadProtection(KEY, IV).open(replace(sealed, **changes))


@given(st.binary(max_size=40))
def test_arbitrary_fragment_does_not_open(fragment: bytes) -> None:
    with pytest.raises(AuthenticationError):
        ReadProtection(KEY, IV).open(DtlsRecord(23, 0xFEFD, 1, 7, fragment))


def test_receiver_takes_the_explicit_nonce_as_sent() -> None:
    """A sender may put anything there, as long as it never repeats."""
    record = DtlsRecord(ContentType.APPLICATION_DATA, 0xFEFD, 1, 7, b"data")
    odd = AESCCM(KEY, 8).encrypt(IV + b"anything", b"data", record.epoch_and_sequence + b"\x17\xfe\xfd\x00\x04")
    assert ReadProtection(KEY, IV).open(replace(record, fragment=b"anything" + odd)) == b"data"


@given(st.lists(st.integers(0, 150), max_size=60))
def test_replay_window_takes_each_number_once_unless_too_old(numbers: list[int]) -> None:
    window, seen = ReplayWindow(), set[int]()
    for number in numbers:
        highest = max(seen, default=-1)
        is_fresh = number not in seen and number > highest - ReplayWindow.WIDTH
        assert window.is_fresh(number) == is_fresh
        if is_fresh:
            window.mark(number)
            seen.add(number)


def test_record_layer_numbers_each_epoch_and_refuses_repetition() -> None:
    layer, peer = RecordLayer(5), RecordLayer()
    first, second = layer.seal(ContentType.HANDSHAKE, 0, b"a"), layer.seal(ContentType.HANDSHAKE, 0, b"b")
    assert (first.sequence, second.sequence) == (5, 6)
    assert (peer.open(second), peer.open(first)) == (b"b", b"a")
    with pytest.raises(RemoteProtocolError, match="seen before"):
        peer.open(first)
    layer.install((KEY, IV), (KEY, IV))
    peer.install((KEY, IV), (KEY, IV))
    peer.read_protected()
    sealed = layer.seal(ContentType.APPLICATION_DATA, 1, b"c")
    assert (sealed.sequence, peer.open(sealed)) == (0, b"c")


def test_forged_record_does_not_take_the_place_of_the_genuine_one() -> None:
    layer, peer = RecordLayer(), RecordLayer()
    layer.install((KEY, IV), (KEY, IV))
    peer.install((KEY, IV), (KEY, IV))
    peer.read_protected()
    genuine = layer.seal(ContentType.APPLICATION_DATA, 1, b"c")
    with pytest.raises(AuthenticationError):
        peer.open(replace(genuine, fragment=bytes(30)))
    assert peer.open(genuine) == b"c"


def test_protected_epoch_without_keys_is_our_own_callers_fault() -> None:
    with pytest.raises(LocalProtocolError):
        RecordLayer().seal(ContentType.APPLICATION_DATA, 1, b"")
    layer = RecordLayer()
    layer.read_protected()
    with pytest.raises(LocalProtocolError):
        layer.open(DtlsRecord(23, 0xFEFD, 1, 0, bytes(30)))


def test_plaintext_of_16384_octets_is_the_longest() -> None:
    check_plaintext(bytes(1 << 14))
    with pytest.raises(EncodeError):
        check_plaintext(bytes((1 << 14) + 1))


@given(st.binary(max_size=4))
def test_alert_is_two_octets_or_a_decode_error(data: bytes) -> None:
    if len(data) != 2:
        with pytest.raises(DecodeError):
            Alert.decode(data)
        return
    assert Alert.decode(data).encode() == data


def test_alerts_have_the_names_of_the_standard() -> None:
    assert (alert_name(20), alert_name(47), alert_name(200)) == ("bad_record_mac", "illegal_parameter", "200")
    assert Alert(2, 20).is_fatal
    assert not Alert(1, 0).is_fatal
