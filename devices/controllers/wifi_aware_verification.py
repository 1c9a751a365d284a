"""Pairings of before, brought into force again: when asked to, and by itself where the platform does it.

Android's framework verifies whoever it recognises, without the app. It does so once each time a device comes into view:
a device that has forgotten the phone is not asked again and again.
"""

import asyncio

from devices.controllers.wifi_aware import WifiAware
from devices.errors import ActionRefusedError, UsageError
from pairing.engine import Event
from pairing.nan.identifiers import address_text
from pairing.nan.pairing_events import PairingFailed, PairingVerified, PeerRecognised
from pairing.nan.platform_rules import Family


class VerificationRun:
    """One verification under way."""

    def __init__(self, aware: WifiAware, peer: bytes) -> None:
        """Begin it. Raises ActionRefusedError where the engine's state does not allow it."""
        self._aware = aware
        self._text = address_text(peer)
        queue = aware.open_inbox(self._text)
        try:
            aware.do(lambda device, now: device.verify(peer, now))
        except BaseException:
            aware.close_inbox(self._text, queue)
            raise
        self._ended = aware.spawn(self._follow(queue))

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._ended.done()

    async def end(self) -> PairingVerified | PairingFailed:
        """What came of it; whoever waits may give up without ending it."""
        ending: PairingVerified | PairingFailed = await asyncio.shield(self._ended)
        return ending

    async def _follow(self, queue: "asyncio.Queue[Event]") -> PairingVerified | PairingFailed:
        try:
            while True:
                event = await queue.get()
                if isinstance(event, PairingVerified | PairingFailed) and event.mode == "cached":
                    return event
        finally:
            self._aware.close_inbox(self._text, queue)


class Verifications:
    """Of one phone, at most one with each device at a time."""

    def __init__(self, aware: WifiAware) -> None:
        self._aware = aware
        self._runs: dict[bytes, VerificationRun] = {}
        if aware.app.platform.family is Family.ANDROID:
            aware.listeners.append(self._on_event)

    def begin(self, peer: bytes) -> VerificationRun:
        """Begin one, or join the one under way. Raises ActionRefusedError."""
        run = self._runs.get(peer)
        if run is None or run.is_over:
            run = self._runs[peer] = VerificationRun(self._aware, peer)
        return run

    def clear(self) -> None:
        """The phone was switched off."""
        self._runs.clear()

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, PeerRecognised) or event.peer is None:
            return
        peer = bytes.fromhex(event.peer.replace(":", ""))
        if self._aware.needs_verification(peer):
            try:
                self.begin(peer)
            except (ActionRefusedError, UsageError):
                pass  # its app was faster, the publisher is not in view of a subscription, or is another by now
