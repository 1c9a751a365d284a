"""The data paths of a phone: opened with the keys of a pairing or as the platform allows, and where they lead.

A pairing that is not in force is verified first, as phones do it. What is at the end of a path, its accessory serves:
in this home under a session's own endpoints, on a foreign device nowhere that we could reach.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from devices.controllers.wifi_aware import WifiAware
from devices.controllers.wifi_aware_results import Refusal, RefusedError, situation_of
from devices.controllers.wifi_aware_verification import Verifications
from devices.transports.data_path import session_id
from pairing.engine import SECOND, Event
from pairing.nan.data_path_events import DataPathClosed, DataPathFailed, DataPathOpened, DataPathStarted
from pairing.nan.identifiers import address_text
from pairing.nan.pairing_events import PairingCause, PairingFailed
from pairing.nan.platform_failures import Activity, Situation
from pairing.nan.platform_rules import DataPathSecurity, judge_data_path

ARRIVAL = 1 * SECOND
"""How long the other side may need to have a session ready once we know that the path is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRequest:
    """What is asked for."""

    security: DataPathSecurity = DataPathSecurity.PAIRED
    passphrase: str | None = field(default=None, repr=False)
    pmk: bytes | None = field(default=None, repr=False)
    suite: int | None = None


@dataclass(frozen=True, slots=True)
class OpenPath:
    """A data path that is open."""

    number: int
    peer: bytes
    service: str
    security: str
    session: str
    endpoints: dict[str, str]
    peer_address: str
    is_initiator: bool

    def document(self) -> dict[str, Any]:
        """As a caller sees it."""
        return {
            "session": self.session,
            "endpoints": dict(self.endpoints),
            "data_path": self.number,
            "peer": address_text(self.peer),
            "service": self.service,
            "security": self.security,
            "peer_address": self.peer_address,
        }


class PhonePaths:
    """The open data paths of one phone, by number."""

    def __init__(self, aware: WifiAware, verifications: Verifications) -> None:
        self.open_paths: dict[int, OpenPath] = {}
        self._aware = aware
        self._verifications = verifications
        aware.listeners.append(self._on_event)

    def judge(self, request: PathRequest) -> None:
        """Whether the platform opens such a path. Raises RefusedError."""
        verdict = judge_data_path(self._aware.app.platform, request.security)
        if not verdict.is_accepted:
            raise RefusedError(Refusal.of_rule(verdict, Activity.DATA_PATH, Situation.REJECTED))

    async def open(self, peer: bytes, request: PathRequest) -> OpenPath:
        """Open a path. Raises RefusedError."""
        aware = self._aware
        self.judge(request)
        if request.security is DataPathSecurity.PAIRED and aware.needs_verification(peer):
            await self._verify(peer)
        with aware.inbox(address_text(peer)) as queue:
            number = self._request(peer, request)
            opened = await self._settled(queue, number)
        path = await self._reached(opened, peer)
        self.open_paths[number] = path
        return path

    def close(self, number: int) -> None:
        """End a path; the other side is told."""
        self._aware.do(lambda device, now: device.close_data_path(number, now))

    def find(self, wanted: Callable[[OpenPath], bool]) -> OpenPath | None:
        """The newest open path that is wanted."""
        return next((each for each in reversed(self.open_paths.values()) if wanted(each)), None)

    def clear(self) -> None:
        """The phone was switched off."""
        self.open_paths.clear()

    async def _verify(self, peer: bytes) -> None:
        ending = await self._verifications.begin(peer).end()
        if isinstance(ending, PairingFailed):
            raise RefusedError(failure_refusal(ending, Activity.DATA_PATH))

    def _request(self, peer: bytes, request: PathRequest) -> int:
        outputs = self._aware.do(
            lambda device, now: device.open_data_path(
                peer, now, passphrase=request.passphrase, pmk=request.pmk, suite=request.suite
            )
        )
        return next(each.data_path for each in outputs if isinstance(each, DataPathStarted))

    async def _settled(self, queue: "asyncio.Queue[Event]", number: int) -> DataPathOpened:
        while True:
            event = await queue.get()
            if isinstance(event, DataPathOpened) and event.data_path == number:
                return event
            if isinstance(event, DataPathFailed) and event.data_path == number:
                raise RefusedError(failure_refusal(event, Activity.DATA_PATH))

    async def _reached(self, opened: DataPathOpened, peer: bytes) -> OpenPath:
        session, endpoints = await self._session(opened.data_path)
        return OpenPath(
            opened.data_path,
            peer,
            opened.service,
            opened.security,
            session,
            endpoints,
            opened.peer_address,
            opened.is_initiator,
        )

    async def _session(self, number: int) -> tuple[str, dict[str, str]]:
        """The session's name, and its endpoints where the other side is of this home and serves anything."""
        aware = self._aware
        path = aware.device.data_path(number)
        if path is None:
            return "", {}
        name, owner = session_id(path.side.terms), aware.site.air.actor_at(path.side.terms.peer_nmi)
        if owner is None or not any(each.id == owner for each in aware.site.others()):
            return name, {}
        waiting = asyncio.ensure_future(aware.site.data_paths.wait(name, aware.app.phone_id))
        late = asyncio.ensure_future(aware.site.clock.sleep(ARRIVAL))
        try:
            await asyncio.wait((waiting, late), return_when=asyncio.FIRST_COMPLETED)
            return name, dict(waiting.result().endpoints) if waiting.done() else {}
        finally:
            waiting.cancel()
            late.cancel()
            await asyncio.gather(waiting, late, return_exceptions=True)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, DataPathClosed):
            self.open_paths.pop(event.data_path, None)
        elif isinstance(event, DataPathOpened) and not event.is_initiator and event.peer is not None:
            # A peer's path to what we publish; the phone's app has nothing of its own at the end of it.
            peer = bytes.fromhex(event.peer.replace(":", ""))
            number, security = event.data_path, event.security
            path = OpenPath(number, peer, event.service, security, "", {}, event.peer_address, False)
            self.open_paths[number] = path


def failure_refusal(failed: Any, activity: Activity) -> Refusal:
    """The refusal that a failure on the air is: of bootstrapping, pairing, verification or a data path."""
    situation = situation_of(failed.error)
    cause: PairingCause | None = getattr(failed, "cause", None)
    if cause is PairingCause.UNKNOWN_PEER:
        situation = Situation.PEER_INVALID
    hint = getattr(failed, "hint", "") or getattr(failed, "mistake", "")
    return Refusal(
        rule=failed.rule,
        expected=failed.expected,
        came=failed.came,
        activity=activity,
        situation=situation,
        symptom=failed.error if cause is None else f"{failed.error} ({cause.value})",
        hint=hint or ("" if cause is None else _NEXT.get(cause, "")),
    )


_NEXT = {
    PairingCause.WRONG_PASSWORD: "read the code off the device and try again; a third wrong one locks it",
    PairingCause.UNKNOWN_PEER: "the device has forgotten this phone: remove it here, and pair again",
    PairingCause.LOCKED: "open pairing again at the device",
    PairingCause.EXPIRED: "give the code with the request, or type it with accept",
}
