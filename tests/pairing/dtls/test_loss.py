"""Loss, repetition, reordering and damage: each handshake ends on both sides, and never with two different keys."""

import random
from collections.abc import Callable, Sequence

import pytest

from pairing.dtls.events import FlightRepeated, HandshakeCompleted, HandshakeFailed, HandshakeStarted
from pairing.dtls.settings import DtlsSettings, DtlsTimes
from pairing.engine import SECOND
from pairing.errors import ExchangeTimeoutError
from tests.support.dtls_pair import DtlsPair, Sent, with_extended_master_secret

WHOLE, SMALL = DtlsSettings(), DtlsSettings(mtu=300)
EACH = pytest.mark.parametrize(
    ("settings", "number"),
    [
        *(pytest.param(WHOLE, number, id=f"whole-{number}") for number in range(1, 7)),
        *(pytest.param(SMALL, number, id=f"fragments-{number}") for number in range(1, 9)),
    ],
)
"""Each datagram of a handshake in its turn, with messages in one piece and in fragments."""
PATIENCE = 1000 * SECOND


def bent(fates: dict[int, Callable[[Sent], Sequence[Sent]]]) -> Callable[[int, Sent], Sequence[Sent]]:
    return lambda number, sent: fates[number](sent) if number in fates else (sent,)


def lost(sent: Sent) -> Sequence[Sent]:
    return ()


class Late:
    """Holds some datagrams back until the next has gone."""

    def __init__(self, *numbers: int) -> None:
        self._numbers = numbers
        self.held: list[Sent] = []

    def __call__(self, number: int, sent: Sent) -> Sequence[Sent]:
        if number in self._numbers:
            self.held.append(sent)
            return ()
        late, self.held = self.held, []
        return (sent, *late)


def assert_connected(pair: DtlsPair) -> None:
    assert pair.completed("client").keys == pair.completed("server").keys
    pair.send(b"ping")
    pair.send(b"pong", "server")
    pair.flush()
    assert (pair.data("server"), pair.data("client")) == ([b"ping"], [b"pong"])


@pytest.mark.parametrize(("settings", "count"), [(WHOLE, 6), (SMALL, 8)])
def test_handshakes_have_as_many_datagrams_as_the_tests_bend(settings: DtlsSettings, count: int) -> None:
    assert len(DtlsPair(settings, settings).connect().sent) == count


@EACH
def test_loss_of_any_one_datagram_is_repaired(settings: DtlsSettings, number: int) -> None:
    pair = DtlsPair(settings, settings, bend=bent({number: lost})).connect()
    pair.pass_time(PATIENCE)
    assert [*pair.events("client", FlightRepeated), *pair.events("server", FlightRepeated)]
    assert_connected(pair)


@EACH
def test_doubling_any_one_datagram_changes_nothing(settings: DtlsSettings, number: int) -> None:
    pair = DtlsPair(settings, settings, bend=bent({number: lambda sent: (sent, sent)})).connect()
    assert_connected(pair)
    assert pair.events("client", FlightRepeated) == []


@EACH
def test_any_one_datagram_may_come_after_the_next(settings: DtlsSettings, number: int) -> None:
    pair = DtlsPair(settings, settings, bend=Late(number)).connect()
    pair.pass_time(PATIENCE)
    assert_connected(pair)


@EACH
@pytest.mark.parametrize("place", [0, 3, 5, 11, 13, 20, 30, 60, 150, -1])
def test_damage_to_any_one_datagram_ends_in_agreement_or_in_failure(
    settings: DtlsSettings, number: int, place: int
) -> None:
    def damage(sent: Sent) -> Sequence[Sent]:
        octets = bytearray(sent[1])
        octets[min(place, len(octets) - 1)] ^= 0x41
        return ((sent[0], bytes(octets)),)

    pair = DtlsPair(settings, settings, bend=bent({number: damage})).connect()
    pair.pass_time(PATIENCE)
    check_endings(pair)


def test_timer_doubles_from_8_to_60_seconds_and_then_gives_up() -> None:
    pair = DtlsPair(bend=lambda number, sent: ())
    pair.start()
    moments = []
    while pair.client.deadline is not None:
        moments.append(pair.client.deadline // SECOND)
        pair.pass_time(pair.client.deadline)
    assert moments == [8, 24, 56, 116]
    assert [len(datagram) for _, datagram in pair.sent] == [432] * 4
    assert isinstance(pair.failed("client").error, ExchangeTimeoutError)
    assert pair.client.handle_timeout(10**12) == ()


def test_timer_begins_anew_with_each_flight() -> None:
    times = DtlsTimes(first_wait=1 * SECOND, longest_wait=10 * SECOND)
    pair = DtlsPair(DtlsSettings(times=times), bend=bent({1: lost, 2: lost, 5: lost}))
    pair.start()
    pair.flush()
    assert pair.client.deadline == 1 * SECOND
    pair.pass_time(1 * SECOND)
    assert pair.client.deadline == 3 * SECOND
    pair.pass_time(3 * SECOND)
    assert pair.now == 3 * SECOND
    assert pair.client.deadline == 4 * SECOND  # the hello with the cookie was lost once, its timer is new


def test_repetition_has_new_record_numbers_and_the_same_messages() -> None:
    pair = DtlsPair(bend=bent({5: lost})).connect()
    pair.pass_time(8 * SECOND)
    first, second = (datagram for who, datagram in pair.sent[4:6] if who == "client")
    assert len(first) == len(second) == 257
    assert first[13:190] == second[13:190]
    assert (first[5:11].hex(), second[5:11].hex()) == ("000000000002", "000000000004")
    assert_connected(pair)


def test_lost_server_finished_is_sent_again_when_the_client_repeats_its_flight() -> None:
    pair = DtlsPair(bend=bent({6: lost})).connect()
    assert pair.completed("server")
    assert pair.events("client", HandshakeCompleted) == []
    pair.pass_time(8 * SECOND)
    (repeated,) = pair.events("server", FlightRepeated)
    assert repeated.reason == "the peer repeated its flight"
    assert_connected(pair)


def test_server_forgets_its_last_flight_once_data_came() -> None:
    pair = DtlsPair().connect()
    flight = pair.sent[4]
    assert_connected(pair)
    before = len(pair.sent)
    # A forged repetition of the client's flight: the Finished in it cannot be forged, so its first record is.
    pair.wire.append(flight)
    pair.flush()
    assert len(pair.sent) == before


def test_data_that_overtakes_the_finished_is_kept_for_it() -> None:
    kept: list[Sent] = []

    def keep(sent: Sent) -> Sequence[Sent]:
        kept.append(sent)
        return ()

    pair = DtlsPair(bend=bent({6: keep})).connect()
    for number in range(3):
        pair.send(bytes((number,)), "server")
    pair.flush()
    assert pair.data("client") == []
    pair.wire += kept
    pair.flush()
    assert pair.data("client") == [b"\0", b"\1", b"\2"]


def check_endings(pair: DtlsPair) -> None:
    """The client's handshake ends once, each of the server's once, and completed ones never differ."""
    endings = [*pair.events("client", HandshakeCompleted), *pair.events("client", HandshakeFailed)]
    assert len(endings) == 1
    started = len(pair.events("server", HandshakeStarted))
    completed, failed = pair.events("server", HandshakeCompleted), pair.events("server", HandshakeFailed)
    assert started == len(completed) + len(failed)
    if isinstance(endings[0], HandshakeCompleted):
        assert endings[0].keys in [each.keys for each in completed]
    assert pair.client.deadline is None


def sweep(seed: int) -> DtlsPair:
    """A handshake over a wire that loses, doubles, damages, cuts and delays, by the seed's chance."""
    chance = random.Random(seed)
    held: list[Sent] = []

    def bend(number: int, sent: Sent) -> Sequence[Sent]:
        late, held[:] = held[:], []
        (who, datagram), fate = sent, chance.random()
        if fate < 0.15:
            return late
        if fate < 0.25:
            return (sent, sent, *late)
        if fate < 0.31:
            octets = bytearray(datagram)
            octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
            return ((who, bytes(octets)), *late)
        if fate < 0.34:
            return ((who, datagram[: chance.randrange(len(datagram))]), *late)
        if fate < 0.45:
            held.append(sent)
            return late
        return (sent, *late)

    settings = DtlsSettings(mtu=chance.choice([200, 300, 700, 1280]), cookie_exchange=chance.random() < 0.7)
    if chance.random() < 0.3:
        settings = with_extended_master_secret(settings)
    pair = DtlsPair(settings, settings, seed=seed, bend=bend).connect()
    pair.pass_time(PATIENCE)
    check_endings(pair)
    return pair


def test_300_seeds_end_in_agreement_or_in_failure() -> None:
    pairs = [sweep(seed) for seed in range(300)]
    completed = sum(bool(pair.events("client", HandshakeCompleted)) for pair in pairs)
    # Most must get through, or the sweep would show nothing; damage ends some.
    assert 150 < completed < 300


@pytest.mark.slow
@pytest.mark.parametrize("block", range(50))
def test_5000_seeds_end_in_agreement_or_in_failure(block: int) -> None:
    assert all(sweep(1000 + 100 * block + seed) for seed in range(100))
