"""One pairing as a phone's user goes through it: ask for a method, type the code, and what comes of it.

It begins with the request on the air and ends in one event: PairingCompleted, PairingFailed or BootstrappingFailed. A
user who types wrong and then right goes through it twice; nobody tries again after a refusal.
"""

import asyncio
from collections.abc import Callable

from devices.controllers.questions import Answer
from devices.controllers.wifi_aware import WifiAware
from devices.controllers.wifi_aware_view import Seen
from devices.errors import ActionRefusedError
from pairing.engine import SECOND, Event
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.events import BootstrappingCompleted, BootstrappingFailed
from pairing.nan.identifiers import address_text
from pairing.nan.pairing_events import PairingCause, PairingCompleted, PairingFailed

_M = BootstrappingMethods
KINDS = {_M.PIN_KEYPAD: "pin", _M.PASSPHRASE_KEYPAD: "passphrase", _M.QR_SCAN: "qr", _M.NFC_READER: "nfc"}
"""The kind of code that a method of a subscriber takes; other methods take none."""
PREFERRED = (_M.PIN_KEYPAD, _M.PASSPHRASE_KEYPAD, _M.QR_SCAN, _M.NFC_READER, _M.OPPORTUNISTIC)


class PairingRun:
    """One pairing under way with one device. `ended` becomes its last event."""

    def __init__(self, aware: WifiAware, seen: Seen, method: BootstrappingMethods, code: str | None) -> None:
        self.seen = seen
        self.method = method
        self.state = "bootstrapping"
        self._aware = aware
        self._code = code
        self._peer = seen.peer
        self._text = address_text(seen.peer)
        self._is_cancelled = asyncio.Event()
        self.ended: asyncio.Task[Event] | None = None

    def start(self) -> None:
        """Send the request. Raises ActionRefusedError where the engine's state does not allow it."""
        self._aware.open_sheet(self.seen.found.subscribe_id, self._text)
        queue = self._aware.open_inbox(self._text)
        try:
            self._request()
        except BaseException:
            self._close(queue)
            raise
        self.ended = self._aware.spawn(self._follow(queue))

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ended is None or self.ended.done()

    @property
    def is_ending(self) -> bool:
        """Whether it is over on the air, and its user about to hear so."""
        side = self._aware.device.attempt(self._peer)
        return self.state == "pairing" and (side is None or side.is_over)

    async def end(self) -> Event:
        """Its last event; whoever waits may give up without ending it."""
        if self.ended is None:
            raise ActionRefusedError(f"pairing with {self._text} was not begun")
        return await asyncio.shield(self.ended)

    def cancel(self) -> None:
        """Its user gives up; the device is told where it can be."""
        if self.is_over:
            raise ActionRefusedError(f"there is no pairing with {self._text} under way")
        if self.state == "typing":
            self._is_cancelled.set()
        else:
            self._aware.do(lambda device, now: device.cancel(self._peer, now))

    # How it goes.

    def _request(self) -> None:
        self.state = "bootstrapping"
        found = self.seen.found
        self._aware.do(
            lambda device, now: device.bootstrap(
                self._peer,
                self.method,
                now,
                instance_id=found.subscribe_id,
                peer_instance_id=found.publish_id,
            )
        )

    async def _follow(self, queue: "asyncio.Queue[Event]") -> Event:
        try:
            attempts = self._aware.user.attempts(self._code)
            for attempt in range(1, attempts + 1):
                if attempt > 1:
                    self._request()
                ending = await self._attempt(queue, attempt)
                if not _is_wrong_code(ending):
                    break
            return ending
        finally:
            self._close(queue)

    def _close(self, queue: "asyncio.Queue[Event]") -> None:
        self.state = "over"
        self._aware.close_inbox(self._text, queue)
        self._aware.close_sheet(self.seen.found.subscribe_id)

    async def _attempt(self, queue: "asyncio.Queue[Event]", attempt: int) -> Event:
        agreed = await _next(queue, self._is_agreement)
        if isinstance(agreed, BootstrappingFailed):
            return agreed
        password: str | None = None
        if self.method in KINDS:
            answer = await self._type(attempt)
            if answer is None or not answer.is_accepted or not answer.code:
                return self._give_up(answer)
            password = answer.code
        self.state = "pairing"
        try:
            self._aware.do(lambda device, now: device.pair(self._peer, now, password=password))
        except ActionRefusedError as problem:  # the device left while its code was typed
            return self._ended("LocalProtocolError", PairingCause.NOT_AGREED, "state", "to begin pairing", str(problem))
        return await _next(queue, _is_our_end)

    def _is_agreement(self, event: Event) -> bool:
        is_one = isinstance(event, BootstrappingCompleted | BootstrappingFailed)
        return is_one and getattr(event, "instance_id", 0) == self.seen.found.subscribe_id

    async def _type(self, attempt: int) -> Answer | None:
        self.state = "typing"
        self._is_cancelled.clear()
        aware, kind = self._aware, KINDS[self.method]
        typing = asyncio.ensure_future(
            aware.user.type_code(kind, self._peer, self.seen.found.name, self._code, attempt)
        )
        cancelled = asyncio.ensure_future(self._is_cancelled.wait())
        try:
            await asyncio.wait((typing, cancelled), return_when=asyncio.FIRST_COMPLETED)
            return typing.result() if typing.done() else Answer(False)
        finally:
            typing.cancel()
            cancelled.cancel()
            await asyncio.gather(typing, cancelled, return_exceptions=True)

    def _give_up(self, answer: Answer | None) -> PairingFailed:
        """Nothing went on the air yet, so the engine has nothing to say: the phone itself ends it."""
        if answer is not None:
            return self._ended("cancelled", PairingCause.CANCELLED, "user", "to go on", "cancelled")
        waited = f"a code within {self._aware.user.patience // SECOND} s"
        return self._ended("ExchangeTimeoutError", PairingCause.EXPIRED, "user", waited, "none")

    def _ended(self, error: str, cause: PairingCause, rule: str, expected: str, came: str) -> PairingFailed:
        failed = PairingFailed(
            peer=self._text,
            service=self.seen.found.name,
            mode="password",
            is_initiator=True,
            error=error,
            cause=cause,
            rule=rule,
            expected=expected,
            came=came,
        )
        self._aware.happened(failed)
        return failed


def _is_our_end(event: Event) -> bool:
    return isinstance(event, PairingCompleted | PairingFailed) and event.is_initiator and event.mode != "cached"


def _is_wrong_code(ending: Event) -> bool:
    return isinstance(ending, PairingFailed) and ending.cause is PairingCause.WRONG_PASSWORD


async def _next(queue: "asyncio.Queue[Event]", fits: Callable[[Event], bool]) -> Event:
    """The next event that fits; others are passed over."""
    while True:
        event = await queue.get()
        if fits(event):
            return event
