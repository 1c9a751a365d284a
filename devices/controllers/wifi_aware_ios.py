"""A phone's Wi-Fi Aware in Apple's shape: pairing view, picker, paired devices, listeners, browsers, connections.

Pairing runs in the system's views, so an app is told nothing of how it fails; it sees its paired devices change. All
that is connected is paired: an open or passphrase path is refused.
Source: Apple documentation (WiFiAware, DeviceDiscoveryUI), and what apps report; see platform_rules for the marks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from devices.controllers.wifi_aware_data_path import PathRequest
from devices.controllers.wifi_aware_handset import Handset
from devices.controllers.wifi_aware_results import WAERROR_DOMAIN, Refusal, RefusedError, done, produced
from devices.controllers.wifi_aware_ring import info_document
from devices.controllers.wifi_aware_view import Seen, Wanted
from devices.errors import UnknownActorError
from devices.sim.clock import Timer
from devices.spec import closest
from pairing.engine import Event, Micros
from pairing.nan.data_path_events import DataPathClosed
from pairing.nan.identifiers import address_text
from pairing.nan.platform_failures import Activity, Situation, WAError
from pairing.nan.platform_rules import DataPathSecurity

Kind = Literal["listener", "browser", "connection"]
ALL_PAIRED = "all-paired"
USER_SPECIFIED = "user-specified"
DeviceFilter = Literal["all-paired", "user-specified"] | Sequence[str]
MAXIMUM = {"connectable_devices": 16, "publishable_services": 8, "subscribable_services": 8}
"""Ours: the numbers of real phones are known at run time only."""
_SIDE = {"listener": "publish", "browser": "subscribe"}


@dataclass(slots=True)
class Running:
    """A listener, browser or connection of the app."""

    id: str
    kind: Kind
    service: str
    devices: frozenset[int] | None
    """The paired devices it is for; None: all."""
    state: str = "ready"
    error: str | None = None
    path: int | None = None
    value: dict[str, Any] = field(default_factory=dict)
    timer: Timer | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has failed or was cancelled."""
        return self.state != "ready"


class IosWifiAware:
    """The calls of an app on one phone. Every call ends in a document."""

    def __init__(self, handset: Handset) -> None:
        self._handset = handset
        self._aware = handset.aware
        self._running: dict[str, Running] = {}
        self._last = 0
        self._aware.listeners.append(self._on_event)

    def clear(self) -> None:
        """The phone was switched off: whatever ran has failed."""
        for each in self._running.values():
            self._fail(each, WAError.ERROR.value)

    def capabilities(self) -> dict[str, Any]:
        """What WACapabilities says."""
        return {
            "supported_features": ["wifiAware"],
            **{f"maximum_{what}": number for what, number in MAXIMUM.items()},
        }

    # The system's views.

    async def open_pairing_view(self, service: str, produce: str | None = None) -> dict[str, Any]:
        """DevicePairingView: make the phone discoverable, with a code on its screen."""

        async def work() -> dict[str, Any]:
            self._aware.require_service(service, "publish")
            self._handset.hosting.open_pairing(service)
            return self.pairing_view()

        return await self._aware.call("DevicePairingView", Activity.PUBLISH, work, produce)

    def pairing_view(self) -> dict[str, Any]:
        """Whether a view is open, for which service, and the code on it."""
        host = next((each for each in self._handset.hosting.hosts.values() if each.code), None)
        if host is None:
            return {"open": False, "service": None, "code": None}
        return {"open": True, "service": host.service, "code": host.code}

    def close_pairing_view(self) -> None:
        """Its user dismisses it. Raises ActionRefusedError if none is open."""
        self._handset.hosting.close_pairing(self.pairing_view()["service"] or "")

    async def look_in_picker(self, service: str, within_us: Micros) -> dict[str, Any]:
        """DevicePicker: the devices that it lists, open for pairing."""
        found = await self._handset.look_around(service, within_us)
        if found["outcome"] == "done":
            found["value"] = [each for each in found["value"] if each["pairing_open"]]
        return found

    async def pick(
        self,
        wanted: Wanted,
        service: str,
        *,
        code: str | None = None,
        within_us: Micros | None = None,
        wait: bool = True,
        produce: str | None = None,
    ) -> dict[str, Any]:
        """Pick one in the DevicePicker and go through with it."""
        picked = await self._handset.pick(wanted, service, within_us, produce)
        if picked["outcome"] != "done":
            return picked
        return await self._handset.pair("", code=code, service=service, wait=wait)

    # Paired devices.

    def snapshot(self) -> dict[str, Any]:
        """One element of WAPairedDevice.allDevices: a dictionary by id, and the number of the snapshot."""
        ring = self._aware.ring
        devices = {str(each.peer_id): _device(self._handset, each.peer_id) for each in ring.paired}
        return {"snapshot": ring.version, "devices": devices}

    async def next_snapshot(self, after: int, within_us: Micros) -> dict[str, Any]:
        """The first snapshot that is newer than `after`, or the same one when the time is over."""
        await self._aware.ring.changed(after, self._aware.site.clock, within_us)
        return self.snapshot()

    # Listeners, browsers, connections.

    async def listen(
        self, service: str, devices: DeviceFilter, active_us: Micros | None = None, produce: str | None = None
    ) -> dict[str, Any]:
        """NetworkListener(for: .wifiAware(.connecting(to: service, from: devices)))."""

        async def work() -> dict[str, Any]:
            running = self._begin("listener", service, devices)
            self._handset.hosting.listen(service, running.devices)
            self._end_after(running, active_us, WAError.PUBLISHER_TIMEOUT)
            return self.document(running)

        return await self._aware.call("NetworkListener", Activity.PUBLISH, work, produce)

    async def browse(
        self, service: str, devices: DeviceFilter, active_us: Micros | None = None, produce: str | None = None
    ) -> dict[str, Any]:
        """NetworkBrowser(for: .wifiAware(.connecting(to: devices, from: service)))."""

        async def work() -> dict[str, Any]:
            running = self._begin("browser", service, devices)
            self._aware.finder(service)
            self._end_after(running, active_us, WAError.SUBSCRIBER_TIMEOUT)
            return self.document(running)

        return await self._aware.call("NetworkBrowser", Activity.SUBSCRIBE, work, produce)

    async def connect(
        self,
        target: str,
        *,
        service: str = "",
        security: DataPathSecurity = DataPathSecurity.PAIRED,
        within_us: Micros | None = None,
        produce: str | None = None,
    ) -> dict[str, Any]:
        """NetworkConnection to an endpoint of a browser, a paired device's id or name, or an accessory's id."""
        address = target.partition("#")[0]
        request = PathRequest(security=security)
        opened = await self._handset.open(
            address, request, service=service, within_us=within_us, produce=produce, name="NetworkConnection"
        )
        if opened["outcome"] != "done":
            return opened
        value = opened["value"]
        running = self._add("connection", value["service"], None)
        running.path, running.value = value["data_path"], value
        if value["data_path"] not in self._aware.device.open_data_paths:
            self._fail(running, WAError.CONNECTION_TERMINATED.value)
        return done(self.document(running))

    def running(self, kind: Kind, running_id: str) -> Running:
        """One of the app's. Raises UnknownActorError."""
        found = self._running.get(running_id)
        if found is None or found.kind != kind:
            known = [each.id for each in self._running.values() if each.kind == kind]
            raise UnknownActorError(f"there is no {kind} {running_id!r}{closest(running_id, known)}")
        return found

    def all_running(self, kind: Kind) -> list[dict[str, Any]]:
        """The app's of that kind."""
        return [self.document(each) for each in self._running.values() if each.kind == kind]

    def document(self, running: Running) -> dict[str, Any]:
        """As the app sees it; a browser with the endpoints in view."""
        error = None if running.error is None else {"domain": WAERROR_DOMAIN, "case": running.error}
        shown: dict[str, Any] = {
            "id": running.id,
            "service": running.service,
            "state": running.state,
            "error": error,
        }
        if running.kind == "browser":
            shown["endpoints"] = [] if running.is_over else [self._endpoint(each) for each in self._in_view(running)]
        elif running.kind == "connection":
            shown |= running.value
        return shown

    def cancel(self, kind: Kind, running_id: str) -> None:
        """The app cancels it and lets it go. Raises UnknownActorError."""
        running = self.running(kind, running_id)
        if not running.is_over:
            running.state = "cancelled"
            self._release(running)
        del self._running[running_id]

    def fail(self, kind: Kind, running_id: str, case: str) -> dict[str, Any]:
        """Let it fail with a WAError case from now on. Raises UsageError, UnknownActorError."""
        running = self.running(kind, running_id)
        produced(self._aware.app.platform, case, Activity.DATA_PATH)
        self._fail(running, case)
        return self.document(running)

    # Parts.

    def _begin(self, kind: Literal["listener", "browser"], service: str, devices: DeviceFilter) -> Running:
        aware, is_publisher = self._aware, kind == "listener"
        activity = Activity.PUBLISH if is_publisher else Activity.SUBSCRIBE
        aware.require_service(service, _SIDE[kind])
        if any(each.kind == kind and each.service == service and not each.is_over for each in self._running.values()):
            came = f"a {kind} for {service} that runs already"
            raise RefusedError(
                Refusal.of_activity("once", "one per service", came, activity, Situation.ALREADY_RUNNING)
            )
        number = sum(each.kind == kind and not each.is_over for each in self._running.values())
        limit = MAXIMUM["publishable_services" if is_publisher else "subscribable_services"]
        if number >= limit:
            expected = f"{limit} services at the most"
            raise RefusedError(Refusal.of_activity("resources", expected, "one more", activity, Situation.NO_RESOURCES))
        return self._add(kind, service, self._filter(devices, activity))

    def _filter(self, devices: DeviceFilter, activity: Activity) -> frozenset[int] | None:
        ring = self._aware.ring
        if devices == USER_SPECIFIED:
            expected = f"{ALL_PAIRED} or a list of ids; {USER_SPECIFIED} is for the system's views"
            raise RefusedError(
                Refusal.of_activity("device-filter", expected, USER_SPECIFIED, activity, Situation.INTERNAL)
            )
        chosen = None if isinstance(devices, str) else frozenset(ring.find(each) for each in devices)
        if not ring.paired or chosen == frozenset():
            expected = f"a paired device of {ring.app}"
            raise RefusedError(
                Refusal.of_activity("paired-required", expected, "none", activity, Situation.NO_PAIRED_DEVICES)
            )
        if chosen is None:
            return None
        known = frozenset(each for each in chosen if each is not None)
        if known != chosen:
            came = ", ".join(each for each in devices if ring.find(each) is None)
            expected = f"ids of paired devices of {ring.app}"
            raise RefusedError(Refusal.of_activity("paired-required", expected, came, activity, Situation.PEER_INVALID))
        return known

    def _add(self, kind: Kind, service: str, devices: frozenset[int] | None) -> Running:
        self._last += 1
        running = Running(f"{kind}-{self._last}", kind, service, devices)
        self._running[running.id] = running
        return running

    def _end_after(self, running: Running, active_us: Micros | None, error: WAError) -> None:
        if active_us is not None:
            clock = self._aware.site.clock
            running.timer = clock.call_later(active_us, lambda: self._fail(running, error.value))

    def _fail(self, running: Running, case: str) -> None:
        if not running.is_over:
            running.state, running.error = "failed", case
            self._release(running)

    def _release(self, running: Running) -> None:
        if running.timer is not None:
            running.timer.cancel()
        if not self._aware.is_on:
            return
        if running.kind == "listener":
            self._handset.hosting.stop_listening(running.service)
        elif running.path is not None and running.path in self._aware.device.open_data_paths:
            self._handset.paths.close(running.path)

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, DataPathClosed):
            return
        for each in self._running.values():
            if each.path == event.data_path:
                self._fail(each, WAError.CONNECTION_TERMINATED.value)

    def _in_view(self, running: Running) -> list[Seen]:
        return [
            each
            for each in self._aware.seen()
            if each.found.name == running.service
            and each.device_id is not None
            and (running.devices is None or each.device_id in running.devices)
        ]

    def _endpoint(self, seen: Seen) -> dict[str, Any]:
        return {
            "id": f"{address_text(seen.peer)}#{seen.found.publish_id}",
            "service": seen.found.name,
            "device": None if seen.device_id is None else _device(self._handset, seen.device_id),
        }


def _device(handset: Handset, device_id: int) -> dict[str, Any]:
    ring = handset.aware.ring
    return {
        "id": str(device_id),
        "name": ring.name(device_id) or None,
        "pairing_info": info_document(ring.info(device_id)),
    }
