"""The driver: performs outputs in order, arms one deadline, and is silent once stopped."""

from collections.abc import Callable
from dataclasses import dataclass

from devices.driver import EngineDriver
from devices.sim.clock import Clock
from pairing.engine import Address, Event, Micros, Output, Outputs, Transmit
from tests.support.media import virtually


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told(Event):
    what: str


class _Engine:
    """Answers each frame with an event, a frame and an event; counts down `deadlines`."""

    def __init__(self, *deadlines: Micros) -> None:
        self.deadlines = list(deadlines)
        self.timeouts: list[Micros] = []

    @property
    def deadline(self) -> Micros | None:
        return self.deadlines[0] if self.deadlines else None

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        return (_Told(what="before"), Transmit(payload[::-1], sender), _Told(what=f"after at {now}"))

    def handle_timeout(self, now: Micros) -> Outputs:
        self.timeouts.append(now)
        self.deadlines.pop(0)
        return (_Told(what=f"timeout at {now}"),)

    def postpone(self, to: Micros | None) -> Outputs:
        self.deadlines = [] if to is None else [to]
        return ()


class _Journal:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_event(self, event: Event) -> None:
        assert isinstance(event, _Told)
        self.lines.append(event.what)

    def send(self, payload: bytes, to: Address) -> None:
        self.lines.append(f"sent {payload.decode()} to {to!r}")


def _driven(engine: _Engine, story: Callable[[EngineDriver[_Engine], Clock], object], until: Micros) -> list[str]:
    journal = _Journal()

    async def run(clock: Clock) -> None:
        driver = EngineDriver(engine, clock, on_event=journal.on_event, port=journal)
        driver.do(lambda _engine, _now: ())
        story(driver, clock)
        await clock.sleep(until)

    virtually(run)
    return journal.lines


def test_outputs_are_performed_in_the_order_in_which_the_engine_gave_them() -> None:
    lines = _driven(_Engine(), lambda driver, _: driver.deliver(b"abc", "peer"), 10)
    assert lines == ["before", "sent cba to 'peer'", "after at 0"]


def test_each_deadline_is_met_at_its_moment() -> None:
    engine = _Engine(5, 70, 7_000_000)
    assert _driven(engine, lambda _driver, _clock: None, 8_000_000) == [
        "timeout at 5",
        "timeout at 70",
        "timeout at 7000000",
    ]


def test_a_deadline_that_an_intent_moves_is_met_once_at_the_new_moment() -> None:
    engine = _Engine(50)
    _driven(engine, lambda driver, _: driver.do(lambda each, _now: each.postpone(90)), 200)
    assert engine.timeouts == [90]


def test_a_deadline_that_an_intent_takes_back_is_not_met() -> None:
    engine = _Engine(50)
    _driven(engine, lambda driver, _: driver.do(lambda each, _now: each.postpone(None)), 200)
    assert engine.timeouts == []


def test_a_stopped_driver_delivers_nothing_and_lets_its_deadline_pass() -> None:
    engine = _Engine(50)

    def story(driver: EngineDriver[_Engine], _clock: Clock) -> None:
        driver.stop()
        driver.deliver(b"late", "peer")

    assert _driven(engine, story, 200) == []
    assert engine.timeouts == []


def test_an_intent_returns_what_the_engine_gave() -> None:
    engine = _Engine()
    got: list[Output] = []

    def story(driver: EngineDriver[_Engine], _clock: Clock) -> None:
        got.extend(driver.do(lambda each, now: each.receive(b"x", "me", now)))

    _driven(engine, story, 1)
    assert [type(each).__name__ for each in got] == ["_Told", "Transmit", "_Told"]


def test_without_a_port_frames_vanish_and_events_stay() -> None:
    journal = _Journal()

    async def run(clock: Clock) -> None:
        EngineDriver(_Engine(), clock, on_event=journal.on_event).deliver(b"abc", "peer")

    virtually(run)
    assert journal.lines == ["before", "after at 0"]
