"""Flights: messages out of fragments in any order, and flights packed into datagrams."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.dtls.flights import AHEAD, FlightItem, Reassembler, Transcript, pack
from pairing.dtls.messages import HandshakeFragment, HandshakeMessage, decode_fragments
from pairing.dtls.record import ContentType, DtlsRecord, decode_records
from pairing.errors import DecodeError

LARGEST = 4096


def drained(reassembler: Reassembler) -> list[HandshakeMessage]:
    messages = []
    while (message := reassembler.next_message()) is not None:
        messages.append(message)
    return messages


@given(
    st.lists(st.binary(max_size=60), min_size=1, max_size=5),
    st.lists(st.integers(13, 40), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_messages_come_out_in_order_whatever_the_order_of_overlapping_fragments(
    bodies: list[bytes], sizes: list[int], random: st.DataObject
) -> None:
    messages = [HandshakeMessage(11, 3 + number, body) for number, body in enumerate(bodies)]
    fragments = [each for message in messages for size in sizes for each in message.fragments(size)]
    random.shuffle(fragments)  # type: ignore[attr-defined]
    reassembler, out = Reassembler(3, LARGEST), []
    for fragment in fragments:
        if fragment.message_seq >= reassembler.expected:
            reassembler.add(fragment)
            out += drained(reassembler)
    assert out == messages


def test_octets_that_came_first_stay() -> None:
    reassembler = Reassembler(0, LARGEST)
    reassembler.add(HandshakeFragment(11, 4, 0, 0, b"ab"))
    reassembler.add(HandshakeFragment(11, 4, 0, 0, b"xyzd"))
    (message,) = drained(reassembler)
    assert message.body == b"abzd"


@pytest.mark.parametrize(
    "fragment",
    [
        HandshakeFragment(11, 4, 1, 0, b"abcd"),
        HandshakeFragment(11, 4, 2 + AHEAD, 0, b"abcd"),
        HandshakeFragment(11, LARGEST + 1, 2, 0, b""),
        HandshakeFragment(12, 9, 2, 0, b"abcd"),
        HandshakeFragment(11, 8, 2, 0, b"abcd"),
    ],
    ids=["seen", "far ahead", "too long", "another type", "another length"],
)
def test_fragment_that_does_not_fit_is_refused(fragment: HandshakeFragment) -> None:
    reassembler = Reassembler(2, LARGEST)
    reassembler.add(HandshakeFragment(11, 9, 2, 0, b"abcd"))
    with pytest.raises(DecodeError):
        reassembler.add(fragment)
    assert drained(reassembler) == []


def test_forgotten_fragments_do_not_complete_a_message() -> None:
    reassembler = Reassembler(0, LARGEST)
    reassembler.add(HandshakeFragment(20, 4, 0, 0, b"ab"))
    reassembler.forget()
    reassembler.add(HandshakeFragment(20, 4, 0, 2, b"cd"))
    assert drained(reassembler) == []


@given(
    st.lists(st.binary(max_size=700), min_size=1, max_size=4), st.integers(100, 1500), st.sampled_from([64, 512, 4096])
)
def test_packed_flight_keeps_to_its_limits_and_loses_nothing(bodies: list[bytes], mtu: int, largest: int) -> None:
    messages = [HandshakeMessage(11, number, body) for number, body in enumerate(bodies)]
    items = [*(FlightItem(0, message) for message in messages), FlightItem(0, None)]
    numbers = iter(range(1000))

    def seal(content_type: ContentType, epoch: int, plaintext: bytes) -> DtlsRecord:
        return DtlsRecord(content_type, 0xFEFD, epoch, next(numbers), plaintext)

    datagrams = list(pack(items, mtu, largest, seal))
    records = [record for datagram in datagrams for record in decode_records(datagram)]
    assert all(len(datagram) <= mtu for datagram in datagrams)
    assert all(len(record.fragment) <= largest for record in records)
    assert records[-1].content_type == ContentType.CHANGE_CIPHER_SPEC
    reassembler = Reassembler(0, LARGEST)
    for record in records[:-1]:
        for fragment in decode_fragments(record.fragment):
            reassembler.add(fragment)
    assert drained(reassembler) == messages


def test_client_hello_is_never_cut() -> None:
    item = FlightItem(0, HandshakeMessage(1, 0, bytes(400)), is_whole=True)
    (datagram,) = pack([item], 256, 512, lambda kind, epoch, plain: DtlsRecord(kind, 0xFEFD, epoch, 0, plain))
    assert len(datagram) == 13 + 12 + 400


def test_transcript_hashes_messages_as_unfragmented_and_can_begin_anew() -> None:
    one, other = HandshakeMessage(1, 0, b"hello"), HandshakeMessage(1, 1, b"hello")
    transcript, fresh = Transcript(), Transcript()
    transcript.add(one)
    before = transcript.digest
    transcript.restart(one)
    assert transcript.before == [one.encode(), one.encode()]
    transcript.add(other)
    fresh.add(other)
    assert transcript.digest == fresh.digest != before
