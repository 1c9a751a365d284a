"""A medium: who hears a frame, when, in which order, and what rules and taps make of it."""

from collections.abc import Sequence

import pytest

from devices.errors import MediumError
from devices.media.medium import Flight, Medium, MediumPort
from devices.sim.clock import Clock
from tests.support.media import KeepingTap, virtually


class _Everyone(Medium):
    """A medium on which every frame reaches all."""

    def listeners(self, sender: MediumPort, to: object) -> list[MediumPort]:
        return [port for port in self.ports if port is not sender]


class _Heard:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.frames: list[tuple[str, int, bytes]] = []

    def by(self, name: str) -> "_Ear":
        return _Ear(self, name)


class _Ear:
    def __init__(self, heard: _Heard, name: str) -> None:
        self.heard, self.name = heard, name

    def __call__(self, flight: Flight) -> None:
        self.heard.frames.append((self.name, self.heard.clock.now(), flight.payload))


class _Rule:
    def __init__(self, *fates: Sequence[int]) -> None:
        self.fates = list(fates)

    def apply(self, flight: Flight) -> Sequence[Flight]:
        return [flight.delayed(delay) for delay in self.fates.pop(0)]


def test_a_frame_reaches_the_owner_of_its_address_after_the_latency() -> None:
    async def story(clock: Clock) -> list[tuple[str, int, bytes]]:
        medium, heard = Medium("air", clock), _Heard(clock)
        sender = medium.attach("a", (b"A",), heard.by("a"))
        medium.attach("b", (b"B", b"B2"), heard.by("b"))
        medium.attach("c", (b"C",), heard.by("c"))
        sender.send(b"one", b"B")
        sender.send(b"two", b"B2")
        sender.send(b"nobody", b"Z")
        await clock.sleep(5_000)
        return heard.frames

    assert virtually(story) == [("b", 1_000, b"one"), ("b", 1_000, b"two")]


def test_receivers_hear_a_frame_in_the_order_in_which_they_joined() -> None:
    async def story(clock: Clock) -> list[str]:
        medium, heard = _Everyone("air", clock), _Heard(clock)
        sender = medium.attach("sender", (b"S",), heard.by("sender"))
        for name in ("zoe", "adam", "mia", "bob"):
            medium.attach(name, (name.encode(),), heard.by(name))
        sender.send(b"all", b"*")
        await clock.sleep(2_000)
        return [name for name, _, _ in heard.frames]

    assert virtually(story) == ["zoe", "adam", "mia", "bob"]


def test_a_port_that_is_closed_neither_hears_nor_is_heard() -> None:
    async def story(clock: Clock) -> tuple[list[tuple[str, int, bytes]], int]:
        tap = KeepingTap()
        medium, heard = _Everyone("air", clock, (tap,)), _Heard(clock)
        one = medium.attach("one", (b"1",), heard.by("one"))
        two = medium.attach("two", (b"2",), heard.by("two"))
        one.send(b"under way", b"2")
        two.close()
        two.send(b"from the dead", b"1")
        two.close()
        await clock.sleep(2_000)
        return heard.frames, len(tap.frames)

    assert virtually(story) == ([], 1)


def test_an_address_that_another_actor_holds_is_refused_by_name() -> None:
    async def story(clock: Clock) -> None:
        medium = Medium("air", clock)
        medium.attach("one", ("x",), lambda _: None)
        medium.attach("one", ("x",), lambda _: None)
        medium.attach("two", ("x",), lambda _: None)

    with pytest.raises(MediumError, match="air: address x of two belongs to one"):
        virtually(story)


def test_rules_apply_one_after_the_other_to_what_the_ones_before_left() -> None:
    async def story(clock: Clock) -> tuple[list[int], list[tuple[str, int]]]:
        tap = KeepingTap()
        medium, heard = Medium("air", clock, (tap,)), _Heard(clock)
        sender = medium.attach("a", (b"A",), heard.by("a"))
        medium.attach("b", (b"B",), heard.by("b"))
        medium.rules += [_Rule((0, 10)), _Rule((5,), (7, 100))]
        sender.send(b"x", b"B")
        await clock.sleep(10_000)
        return [at for _, at, _ in heard.frames], tap.fates

    assert virtually(story) == ([1_005, 1_017, 1_110], [("b", 3)])


def test_a_rule_that_returns_nothing_drops_the_frame_and_the_taps_learn_it() -> None:
    async def story(clock: Clock) -> tuple[list[tuple[str, int, bytes]], list[tuple[str, int]], int]:
        tap = KeepingTap()
        medium, heard = Medium("air", clock, (tap,)), _Heard(clock)
        sender = medium.attach("a", (b"A",), heard.by("a"))
        medium.attach("b", (b"B",), heard.by("b"))
        medium.rules.append(_Rule(()))
        sender.send(b"x", b"B")
        await clock.sleep(10_000)
        return heard.frames, tap.fates, len(tap.frames)

    assert virtually(story) == ([], [("b", 0)], 1)


def test_taps_see_a_frame_once_however_many_hear_it() -> None:
    async def story(clock: Clock) -> list[tuple[str, str, object, object, bytes]]:
        tap = KeepingTap()
        medium = _Everyone("air", clock, (tap,))
        sender = medium.attach("a", (b"A",), lambda _: None)
        medium.attach("b", (b"B",), lambda _: None)
        medium.attach("c", (b"C",), lambda _: None)
        sender.send(b"x", b"*")
        return [*tap.frames]

    assert virtually(story) == [("air", "a", b"A", b"*", b"x")]


def test_payloads_are_not_in_the_repr_of_a_flight() -> None:
    assert "secret" not in repr(Flight("air", "a", "b", b"A", b"B", b"secret", 0, 1))
