"""One direction of a TCP connection: in order, resent when lost, given up where TCP gives up."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from devices.media.tcp_way import Mark, Way
from devices.sim.clock import Clock
from pairing.engine import Micros
from tests.support.media import virtually

Arrived = list[tuple[Micros, bytes, Mark | None]]


def _play(story: Callable[[Clock, Way, Arrived], None], due: Callable[[Clock, bytes], Micros | None]) -> Arrived:
    arrived: Arrived = []

    async def play(clock: Clock) -> None:
        way = Way(
            clock,
            lambda octets: due(clock, octets),
            lambda octets, mark: arrived.append((clock.now(), octets, mark)),
            lambda: arrived.append((clock.now(), b"given up", None)),
        )
        story(clock, way, arrived)
        await clock.sleep(1_000_000_000)

    virtually(play)
    return arrived


def test_without_faults_octets_are_there_at_once() -> None:
    def story(clock: Clock, way: Way, arrived: Arrived) -> None:
        way.push(b"a")
        assert arrived == [(0, b"a", None)]

    _play(story, lambda clock, octets: clock.now())


def test_what_is_late_holds_up_what_is_behind_it() -> None:
    def story(clock: Clock, way: Way, arrived: Arrived) -> None:
        way.push(b"late")
        way.push(b"next", None)
        way.push(b"", Mark.CLOSED)
        assert way.waiting == 8

    due = {b"late": 5_000}
    assert _play(story, lambda clock, octets: due.get(octets, clock.now())) == [
        (5_000, b"late", None),
        (5_000, b"next", None),
        (5_000, b"", Mark.CLOSED),
    ]


def test_what_is_lost_is_sent_again_after_twice_as_long_each_time() -> None:
    tried: list[Micros] = []

    def due(clock: Clock, octets: bytes) -> Micros | None:
        tried.append(clock.now())
        return clock.now() if len(tried) > 11 else None

    arrived = _play(lambda clock, way, arrived: way.push(b"a"), due)
    waits = [200_000 * 2**number for number in range(9)] + [60_000_000] * 2
    assert tried == [sum(waits[:count]) for count in range(12)]
    assert arrived == [(tried[-1], b"a", None)]


def test_a_fin_that_is_always_lost_is_given_up_after_eight_tries() -> None:
    (given_up,) = _play(lambda clock, way, arrived: way.push(b"", Mark.CLOSED), lambda clock, octets: None)
    assert given_up == (sum(200_000 * 2**number for number in range(7)), b"given up", None)


def test_what_is_held_waits_until_it_is_wanted() -> None:
    def story(clock: Clock, way: Way, arrived: Arrived) -> None:
        way.hold(True)
        way.push(b"a")
        clock.call_at(7_000, lambda: way.hold(False))

    assert _play(story, lambda clock, octets: clock.now()) == [(7_000, b"a", None)]


def test_what_is_cleared_never_arrives() -> None:
    def story(clock: Clock, way: Way, arrived: Arrived) -> None:
        way.push(b"a")
        assert way.is_stuck
        way.clear()
        assert (way.waiting, way.is_stuck) == (0, False)

    assert _play(story, lambda clock, octets: None) == []


@given(st.lists(st.sampled_from([0, 1, 300_000, None]), max_size=8))
def test_whatever_happens_to_each_segment_all_arrive_once_and_in_order(fates: list[int | None]) -> None:
    left = dict(enumerate(fates))

    def due(clock: Clock, octets: bytes) -> Micros | None:
        fate = left.pop(octets[0], 0)
        return None if fate is None else clock.now() + fate

    def story(clock: Clock, way: Way, arrived: Arrived) -> None:
        for number in range(len(fates)):
            way.push(bytes((number,)))

    arrived = _play(story, due)
    assert [octets[0] for _, octets, _ in arrived] == list(range(len(fates)))
    assert [at for at, _, _ in arrived] == sorted(at for at, _, _ in arrived)
