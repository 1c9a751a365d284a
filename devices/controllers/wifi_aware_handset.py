"""What a phone's user does with Wi-Fi Aware, whatever the platform: look around, pick, pair, verify, open, forget.

Every method ends in a document: done with a value, or refused in the platform's words. Pairing and verification return
as soon as the request is on the air, since what comes of them are events; with `wait` they return at the end.
"""

from typing import Any

from devices.controllers.wifi_aware import WifiAware
from devices.controllers.wifi_aware_choice import (
    device_in_view,
    method_called,
    method_for,
    open_for_pairing,
    require_paired,
    services_for,
)
from devices.controllers.wifi_aware_data_path import OpenPath, PathRequest, PhonePaths, failure_refusal
from devices.controllers.wifi_aware_hosting import Hosting
from devices.controllers.wifi_aware_pairing import PairingRun
from devices.controllers.wifi_aware_results import RefusedError
from devices.controllers.wifi_aware_verification import Verifications
from devices.controllers.wifi_aware_view import Seen, Wanted, method_word
from devices.errors import ActionRefusedError
from devices.sim.chance import Stream
from pairing.engine import Event, Micros
from pairing.nan.events import BootstrappingFailed
from pairing.nan.identifiers import address_text
from pairing.nan.pairing_events import PairingCompleted, PairingVerified
from pairing.nan.platform_failures import Activity
from pairing.nan.platform_rules import DataPathSecurity


class Handset:
    """One phone in its user's hand. `within_us` is how long he looks for a device when nothing else is said."""

    def __init__(self, aware: WifiAware, codes: Stream, within_us: Micros) -> None:
        self.aware = aware
        self.hosting = Hosting(aware, codes)
        self.verifications = Verifications(aware)
        self.paths = PhonePaths(aware, self.verifications)
        self.pairings: dict[bytes, PairingRun] = {}
        self._within_us = within_us
        self._picked: Seen | None = None

    def clear(self) -> None:
        """The phone was switched off."""
        self.pairings.clear()
        self.verifications.clear()
        self.paths.clear()
        self.hosting.clear()
        self._picked = None

    # Who is there.

    async def look_around(self, service: str, within_us: Micros) -> dict[str, Any]:
        """The devices that publish a service, or any, as a picker lists them."""
        aware = self.aware

        async def work() -> list[dict[str, Any]]:
            services = services_for(aware, "", service)
            for each in services:
                aware.finder(each)
            await aware.site.clock.sleep(within_us)
            return [each.document() for each in aware.seen() if each.found.name in services]

        return await aware.call("browse", Activity.SUBSCRIBE, work)

    async def pick(
        self, wanted: Wanted, service: str, within_us: Micros | None, produce: str | int | None = None
    ) -> dict[str, Any]:
        """Find a device that is open for pairing; the next `pair` without a target takes it."""

        async def work() -> dict[str, Any]:
            self._picked = await open_for_pairing(self.aware, wanted, service, self._within(within_us))
            return self._picked.document()

        return await self.aware.call("pick", Activity.SUBSCRIBE, work, produce)

    # Pairing.

    async def pair(
        self,
        target: str,
        *,
        code: str | None = None,
        method: str | None = None,
        service: str = "",
        name: str = "",
        within_us: Micros | None = None,
        wait: bool = False,
        produce: str | int | None = None,
    ) -> dict[str, Any]:
        """Pair with a device; `name` is what its user will call it."""

        async def work() -> dict[str, Any]:
            run = await self._begin(target, code, method, service, self._within(within_us))
            if name:
                self.aware.alias(run.seen.peer, name)
            about = {**_about(run.seen), "method": method_word(run.method)}
            return {**about, **self._paired(await run.end())} if wait else about

        return await self.aware.call("pair", Activity.PAIRING, work, produce)

    async def _begin(
        self, target: str, code: str | None, method: str | None, service: str, within_us: Micros
    ) -> PairingRun:
        if method is not None:
            method_called(method)
        picked, self._picked = self._picked, None
        if picked is not None and not target:
            target, service = address_text(picked.peer), service or picked.found.name
        seen = await open_for_pairing(self.aware, Wanted(target), service, within_us)
        running = self.pairings.get(seen.peer)
        if running is not None and running.is_ending:
            await running.end()
        if running is not None and not running.is_over:
            whom = seen.actor_id or address_text(seen.peer)
            raise ActionRefusedError(f"pairing with {whom} is under way; `cancel` ends it, `accept` types its code")
        await self._clear_the_air(seen)
        run = PairingRun(self.aware, seen, method_for(self.aware, seen, method), code)
        run.start()
        self.pairings[seen.peer] = run
        return run

    async def _clear_the_air(self, seen: Seen) -> None:
        """Keys of before are checked or given up: who has lost his understands nothing that is said under them."""
        if seen.is_stranger or self.aware.device.has_lost_keys(seen.peer):
            self.aware.part(address_text(seen.peer))
        elif seen.is_keyed and seen.device_id is not None:
            await self.verifications.begin(seen.peer).end()

    def _paired(self, ending: Event) -> dict[str, Any]:
        if isinstance(ending, PairingCompleted):
            device = None if ending.peer_id is None else self.aware.ring.document(ending.peer_id)
            return {"device": device}
        activity = Activity.BOOTSTRAPPING if isinstance(ending, BootstrappingFailed) else Activity.PAIRING
        raise RefusedError(failure_refusal(ending, activity))

    def cancel(self, target: str) -> None:
        """Give up the pairing with a device, by default the one under way. Raises ActionRefusedError."""
        for run in reversed(self.pairings.values()):
            if not run.is_over and Wanted(target).fits(run.seen):
                run.cancel()
                return
        raise ActionRefusedError(f"no pairing{f' with {target}' if target else ''} is under way")

    # Pairings that are remembered.

    async def verify(
        self,
        target: str,
        *,
        service: str = "",
        within_us: Micros | None = None,
        wait: bool = False,
        produce: str | int | None = None,
    ) -> dict[str, Any]:
        """Bring a pairing into force again, under fresh keys."""
        aware, activity = self.aware, Activity.VERIFICATION

        async def work() -> dict[str, Any]:
            await self._idle()
            seen = await device_in_view(aware, target, service, self._within(within_us), activity, self._is_paired)
            require_paired(aware, seen, activity)
            run = self.verifications.begin(seen.peer)
            if not wait:
                return _about(seen)
            ending = await run.end()
            if isinstance(ending, PairingVerified):
                return {**_about(seen), "device": aware.ring.document(ending.peer_id)}
            raise RefusedError(failure_refusal(ending, activity))

        return await aware.call("verify", activity, work, produce)

    async def open(
        self,
        target: str,
        request: PathRequest,
        *,
        service: str = "",
        within_us: Micros | None = None,
        produce: str | int | None = None,
        name: str = "open",
    ) -> dict[str, Any]:
        """Open a data path to a device, and say where it leads; `name` is the platform's for the call."""
        aware, activity = self.aware, Activity.DATA_PATH

        async def work() -> dict[str, Any]:
            is_paired = request.security is DataPathSecurity.PAIRED
            self.paths.judge(request)
            await self._idle()
            fits = self._is_paired if is_paired else _is_anybody
            seen = await device_in_view(aware, target, service, self._within(within_us), activity, fits)
            if is_paired:
                require_paired(aware, seen, activity)
            path = await self.paths.open(seen.peer, request)
            return {**path.document(), "accessory": seen.actor_id}

        return await aware.call(name, activity, work, produce)

    def close(self, target: str) -> None:
        """End a data path, by session, device or accessory; by default the newest. Raises ActionRefusedError."""

        def is_wanted(path: OpenPath) -> bool:
            words = (path.session, address_text(path.peer), self.aware.site.air.actor_at(path.peer))
            return not target or target in words

        found = self.paths.find(is_wanted)
        if found is None:
            raise ActionRefusedError(f"no data path{f' to {target}' if target else ''} is open")
        self.paths.close(found.number)

    def devices(self) -> list[dict[str, Any]]:
        """The paired devices of the app, the oldest first."""
        return [self.aware.ring.document(each.peer_id) for each in self.aware.ring.paired]

    # Parts.

    async def _idle(self) -> None:
        """A pairing that is under way comes first."""
        for run in list(self.pairings.values()):
            if not run.is_over:
                await run.end()

    def _is_paired(self, seen: Seen) -> bool:
        """Whoever has no paired device at all is told so at once; else it may take a moment to recognise one."""
        return seen.is_paired or not self.aware.ring.paired

    def _within(self, within_us: Micros | None) -> Micros:
        return self._within_us if within_us is None else within_us


def _is_anybody(seen: Seen) -> bool:
    return True


def _about(seen: Seen) -> dict[str, Any]:
    return {"peer": address_text(seen.peer), "accessory": seen.actor_id, "service": seen.found.name}
