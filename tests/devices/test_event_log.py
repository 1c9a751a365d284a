"""The event log: stamping, the flat JSON form, patterns, waiting, and the nearest three."""

import asyncio
import contextlib
import enum
from dataclasses import dataclass, field
from typing import Any

import pytest

from devices.errors import UsageError
from devices.event_log import EventLog, Pattern, Waited, plain
from devices.events import (
    ClientExited,
    FaultFired,
    PairingCompleted,
    PeerDiscovered,
    PeerRemoved,
    StateChanged,
    vocabulary,
)
from devices.sim.clock import Clock
from pairing.engine import Event
from pairing.keys import NanPairingKeys
from tests.support.media import virtually


class _Colour(enum.Enum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class _Record:
    octets: bytes
    colour: _Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeysKnown(Event):
    key: bytes = field(repr=False, metadata={"secret": True})
    record: _Record


def _log(*events: tuple[str, Event]) -> EventLog:
    log = EventLog(iter(range(0, 1_000, 10)).__next__)
    for actor, event in events:
        log.append(event, actor=actor)
    return log


def _states(*states: str) -> EventLog:
    return _log(*(("br", StateChanged(state=state)) for state in states))


def test_events_are_numbered_from_one_and_stamped_with_the_clock() -> None:
    log = _states("on", "off")
    assert [(each.id, each.at_us, each.actor, each.type) for each in log.since()] == [
        (1, 0, "br", "StateChanged"),
        (2, 10, "br", "StateChanged"),
    ]


def test_json_is_flat_and_leaves_secrets_out_unless_asked_for() -> None:
    log = _log(("br", _KeysKnown(peer="phone", key=b"\xab", record=_Record(b"\x01\xff", _Colour.RED))))
    (event,) = log.since()
    assert event.as_json() == {
        "id": 1,
        "at_us": 0,
        "type": "_KeysKnown",
        "actor": "br",
        "peer": "phone",
        "medium": "",
        "record": {"octets": "01ff", "colour": "red"},
    }
    assert event.as_json(secrets=True)["key"] == "ab"
    assert event["key"] == "ab"


def test_platform_names_stand_beside_an_event_that_has_them() -> None:
    from devices.events import CredentialStored

    log = _log(("phone", CredentialStored(platform="ios-26", border_agent="00")))
    assert log.since()[0].as_json()["names"]["ios"] == "storeCredentials"


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (b"\x00\xff", "00ff"),
        (_Colour.RED, "red"),
        ((1, "two", None, True, 2.5), [1, "two", None, True, 2.5]),
        ({1: b"\x01"}, {"1": "01"}),
        (frozenset({3}), "frozenset({3})"),
    ],
)
def test_plain_gives_what_json_can_hold(value: object, json: object) -> None:
    assert plain(value) == json


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        (7, True),
        (8, False),
        ([6, 7], True),
        ([8, 9], False),
        ({"min": 5}, True),
        ({"min": 5, "max": 7}, True),
        ({"max": 6}, False),
        ({"matches": "7"}, False),
    ],
)
def test_conditions_on_a_number(condition: Any, fits: bool) -> None:
    log = _log(("client", ClientExited(code=7)))
    assert (log.find(Pattern("ClientExited", {"code": condition})) is not None) is fits


@pytest.mark.parametrize(
    ("condition", "fits"),
    [("on", True), ("o", False), ({"matches": "^o"}, True), ({"matches": "x"}, False), ({"min": 1}, False)],
)
def test_conditions_on_a_text(condition: Any, fits: bool) -> None:
    assert (_states("on").find(Pattern("StateChanged", {"state": condition})) is not None) is fits


def test_a_dotted_name_reaches_into_objects() -> None:
    log = _log(("br", _KeysKnown(key=b"", record=_Record(b"\x01", _Colour.RED))))
    document = log.since()[0].as_json()
    assert Pattern("_KeysKnown", {"record.colour": "red"}).misses(document) == []
    assert Pattern("_KeysKnown", {"record.colour.deeper": "red"}).misses(document) == ["record.colour.deeper is None"]


def test_a_member_that_is_not_there_does_not_match() -> None:
    assert _states("on").find(Pattern("StateChanged", {"stat": "on"})) is None


def test_a_secret_may_be_asked_for_without_being_shown() -> None:
    log = _log(("br", _KeysKnown(key=b"\xab", record=_Record(b"", _Colour.RED))))
    assert log.find(Pattern("_KeysKnown", {"key": "ab"})) is not None
    ((_, misses),) = log.nearest(Pattern("_KeysKnown", {"key": "cd"}))
    assert "ab" not in " ".join(misses)


def test_find_skips_what_was_consumed_and_what_came_before() -> None:
    log = _states("on", "on", "on")
    pattern = Pattern("StateChanged", {"state": "on"})
    found = log.find(pattern, after=1, consumed={2})
    assert found is not None
    assert found.id == 3


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (Pattern("StateChange"), "no event is called 'StateChange'; known: .*StateChanged"),
        (Pattern("StateChanged", {"state": {"least": 1}}), "where.state: a condition has min, max or matches"),
        (Pattern("StateChanged", {"state": {}}), "where.state: a condition has min, max or matches"),
        (Pattern("StateChanged", {"state": {"matches": "("}}), "where.state: not a regular expression"),
        (Pattern("StateChanged", {"state": {"min": "low"}}), "where.state: min is a number, not 'low'"),
    ],
)
def test_a_pattern_without_a_meaning_is_refused_by_name(pattern: Pattern, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        pattern.check()


def test_the_nearest_three_are_those_of_the_type_then_those_with_fewest_misses_newest_first() -> None:
    log = _log(
        ("br", StateChanged(state="off", reason="x")),
        ("lamp", StateChanged(state="off", reason="y")),
        ("br", StateChanged(state="leader", reason="y")),
        ("br", FaultFired(fault="f", kind="drop", target="br")),
    )
    nearest = log.nearest(Pattern("StateChanged", {"state": "on", "reason": "x"}, actor="br"))
    assert [each.id for each, _ in nearest] == [1, 3, 2]
    assert nearest[0][1] == ["state is 'off'"]


def _wait(log_of: Any, pattern: Pattern, within_us: int, *later: tuple[int, Event]) -> tuple[Waited, int]:
    async def story(clock: Clock) -> tuple[Waited, int]:
        log: EventLog = log_of(clock)
        for at_us, event in later:
            clock.call_at(at_us, _Appending(log, event))
        waited = await log.wait(pattern, clock=clock, within_us=within_us)
        return waited, clock.now()

    return virtually(story)


class _Appending:
    def __init__(self, log: EventLog, event: Event) -> None:
        self.log, self.event = log, event

    def __call__(self) -> None:
        self.log.append(self.event, actor="br")


def _fresh(clock: Clock) -> EventLog:
    return EventLog(clock.now)


def test_a_wait_ends_at_the_moment_of_the_event() -> None:
    waited, at_us = _wait(_fresh, Pattern("StateChanged"), 5_000_000, (7, StateChanged(state="on")))
    assert waited.event is not None
    assert (waited.cursor, at_us) == (1, 7)


def test_a_wait_in_vain_ends_at_its_time_and_tells_the_nearest() -> None:
    waited, at_us = _wait(_fresh, Pattern("StateChanged", {"state": "on"}), 50, (7, StateChanged(state="off")))
    assert not waited.matched
    assert at_us == 50
    assert [(each.id, list(misses)) for each, misses in waited.nearest] == [(1, ["state is 'off'"])]


def test_an_event_in_the_last_moment_of_a_wait_counts() -> None:
    waited, _ = _wait(_fresh, Pattern("StateChanged"), 50, (50, StateChanged(state="on")))
    assert waited.matched


def test_past_events_count() -> None:
    def with_past(clock: Clock) -> EventLog:
        log = _fresh(clock)
        log.append(StateChanged(state="on"), actor="br")
        return log

    waited, at_us = _wait(with_past, Pattern("StateChanged"), 50)
    assert waited.matched
    assert at_us == 0


def test_private_event_classes_are_not_in_the_vocabulary() -> None:
    assert "StateChanged" in vocabulary()
    assert not [name for name in vocabulary() if name.startswith("_")]


def test_a_wait_for_an_unknown_event_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="no event is called 'Nothing'"):
        _wait(_fresh, Pattern("Nothing"), 50)


def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    async def story(clock: Clock) -> tuple[int, int]:
        log = _fresh(clock)
        waiting = asyncio.ensure_future(log.wait(Pattern("StateChanged"), clock=clock, within_us=1_000_000))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        log.append(StateChanged(state="on"), actor="br")
        await clock.sleep(10)
        return len(log.since()), clock.now()

    assert virtually(story) == (1, 10)


def test_follow_gives_the_past_and_then_what_comes() -> None:
    async def story(clock: Clock) -> list[int]:
        log = _fresh(clock)
        for _ in range(2):
            log.append(StateChanged(state="on"), actor="br")
        for at_us in (5, 6):
            clock.call_at(at_us, _Appending(log, StateChanged(state="off")))
        seen: list[int] = []
        async with contextlib.aclosing(log.follow(after=1)) as events:
            async for event in events:
                seen.append(event.id)
                if len(seen) == 3:
                    break
        return seen

    assert virtually(story) == [2, 3, 4]


def test_the_oldest_events_are_dropped_when_the_log_is_full() -> None:
    from devices.event_log import LOG_LENGTH

    log = EventLog(lambda: 0)
    event = StateChanged(state="on")
    for _ in range(LOG_LENGTH + 5):
        log.append(event, actor="br")
    assert log.since()[0].id == 6
    assert [each.id for each in log.since(LOG_LENGTH + 3)] == [LOG_LENGTH + 4, LOG_LENGTH + 5]


def test_ids_of_paired_devices_are_decimal_strings() -> None:
    log = _log(("phone", PeerRemoved(peer_id=2**64 - 1, name="Camera")))
    assert log.since()[0].as_json()["peer_id"] == "18446744073709551615"
    completed = PairingCompleted(service="s", mode="password", is_initiator=True, suite=7, keys=_keys())
    assert _log(("phone", completed)).since()[0].as_json()["peer_id"] is None


def test_discovery_has_other_words_on_the_air_than_on_the_lan() -> None:
    log = EventLog(lambda: 0)
    found = PeerDiscovered(service="_x._udp")
    names = [log.append(found, actor="phone", medium=medium).as_json()["names"] for medium in ("air", "lan")]
    assert [each["android"] for each in names] == ["onServiceDiscovered", "onServiceFound"]


def test_keys_of_a_pairing_are_secret() -> None:
    completed = PairingCompleted(service="s", mode="password", is_initiator=True, suite=7, keys=_keys())
    event = _log(("phone", completed)).since()[0]
    assert "keys" not in event.as_json()
    assert event.as_json(secrets=True)["keys"]["nm_tk"] == "02" * 16


def _keys() -> NanPairingKeys:
    return NanPairingKeys(
        suite=7,
        is_authenticated=True,
        nm_kck=b"\1" * 16,
        nm_tk=b"\2" * 16,
        nm_kdk=b"\3" * 32,
        nm_kek=b"\4" * 16,
        nd_pmk=b"\5" * 32,
        npk=b"\6" * 32,
    )
