"""Drives any engine in real or virtual time: performs its outputs in order and keeps its one deadline armed."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar, assert_never

from devices.sim.clock import Clock, Timer
from pairing.engine import Address, Engine, Event, Micros, Outputs, Transmit

EngineT = TypeVar("EngineT", bound=Engine)


class Port(Protocol):
    """A place on a medium or a real socket from which bytes leave."""

    def send(self, payload: bytes, to: Address) -> None:
        """Put the bytes on the medium. A send is never proof of delivery."""


class EngineDriver(Generic[EngineT]):
    """Holds one engine. Its events go to `on_event` in the order in which the engine gave them."""

    def __init__(
        self, engine: EngineT, clock: Clock, *, on_event: Callable[[Event], None], port: Port | None = None
    ) -> None:
        self.engine = engine
        self.port = port
        self._clock = clock
        self._on_event = on_event
        self._timer: Timer | None = None
        self._stopped = False

    def deliver(self, payload: bytes, sender: Address) -> None:
        """Bytes have arrived."""
        if not self._stopped:
            self._perform(self.engine.receive(payload, sender, self._clock.now()))

    def do(self, intent: Callable[[EngineT, Micros], Outputs]) -> Outputs:
        """Run an intent of the engine, `lambda engine, now: engine.start(now)`, perform and return its outputs."""
        outputs = intent(self.engine, self._clock.now())
        self._perform(outputs)
        return outputs

    def stop(self) -> None:
        """Power is off: no timer fires and nothing is delivered any more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_deadline(self) -> None:
        self._timer = None
        if not self._stopped:
            self._perform(self.engine.handle_timeout(self._clock.now()))

    def _perform(self, outputs: Outputs) -> None:
        for output in outputs:
            match output:
                case Transmit(payload=payload, to=to):
                    if self.port is not None:
                        self.port.send(payload, to)
                case Event():
                    self._on_event(output)
                case _:
                    assert_never(output)
        self._arm()

    def _arm(self) -> None:
        deadline = None if self._stopped else self.engine.deadline
        if self._timer is not None:
            if self._timer.at_us == deadline and self._timer.action is not None:
                return
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = self._clock.call_at(deadline, self._on_deadline)
