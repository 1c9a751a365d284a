"""The Wi-Fi Aware verbs of a phone: arguments as files, HTTP and tests give them; the handset carries them out."""

from typing import Any, Literal

from devices.actor import Actor, verb
from devices.controllers.wifi_aware_android import AndroidWifiAware
from devices.controllers.wifi_aware_data_path import PathRequest
from devices.controllers.wifi_aware_handset import Handset
from devices.controllers.wifi_aware_ios import IosWifiAware
from devices.controllers.wifi_aware_results import done
from devices.controllers.wifi_aware_view import Wanted
from devices.errors import UnknownVerbError, UsageError
from devices.spec import Duration, duration_us
from pairing.engine import Micros
from pairing.nan.platform_rules import DataPathSecurity

Security = Literal["paired", "open", "passphrase", "pmk"]


class WifiAwareVerbs(Actor):
    """The half of a phone that speaks Wi-Fi Aware; `_handset` is None on a platform that does not."""

    profile: str
    _handset: Handset | None = None
    _ios: IosWifiAware | None = None
    _android: AndroidWifiAware | None = None

    @property
    def ios(self) -> IosWifiAware:
        """Apple's shape of it. Raises UnknownVerbError on other platforms."""
        if self._ios is None:
            raise UnknownVerbError(f"{self.profile} has no pairing view, picker, listeners, browsers: ios phones do")
        return self._ios

    @property
    def android(self) -> AndroidWifiAware:
        """Android's shape of it. Raises UnknownVerbError on other platforms."""
        if self._android is None:
            raise UnknownVerbError(f"{self.profile} has no sessions, methods and callbacks: android phones do")
        return self._android

    @property
    def handset(self) -> Handset:
        """What its user does with Wi-Fi Aware. Raises UnknownVerbError where the platform has none."""
        if self._handset is None:
            raise UnknownVerbError(f"{self.profile} has no Wi-Fi Aware; ios, android, hostap and raw phones have it")
        return self._handset

    @verb("pick")
    async def _do_pick(
        self,
        target: str = "",
        service: str = "",
        name: str = "",
        model: str = "",
        service_id: str = "",
        within: Duration | None = None,
        produce: str | int | None = None,
    ) -> dict[str, Any]:
        """Find a device to pair with, by accessory id, name, model or service ID; `pair` without a target takes it."""
        wanted = Wanted(target, name, model, service_id)
        return await self.handset.pick(wanted, service, _micros(within), produce)

    @verb("pair")
    async def _do_pair(
        self,
        target: str = "",
        code: str | None = None,
        method: str | None = None,
        service: str = "",
        name: str = "",
        within: Duration | None = None,
        wait: bool = False,
        produce: str | int | None = None,
    ) -> dict[str, Any]:
        """Pair with a device; what comes of it are events, or with `wait` the result. `name`: what to call it."""
        return await self.handset.pair(
            target,
            code=code,
            method=method,
            service=service,
            name=name,
            within_us=_micros(within),
            wait=wait,
            produce=produce,
        )

    @verb("verify")
    async def _do_verify(
        self,
        target: str = "",
        service: str = "",
        within: Duration | None = None,
        wait: bool = False,
        produce: str | int | None = None,
    ) -> dict[str, Any]:
        """Bring the pairing with a device into force again, under fresh keys."""
        return await self.handset.verify(target, service=service, within_us=_micros(within), wait=wait, produce=produce)

    @verb("open")
    async def _do_open(
        self,
        target: str = "",
        security: Security = "paired",
        passphrase: str | None = None,
        pmk: str | None = None,
        service: str = "",
        within: Duration | None = None,
        produce: str | int | None = None,
    ) -> dict[str, Any]:
        """Open a data path to a device: its session, and the endpoints at which the device is reached over it."""
        request = PathRequest(security=DataPathSecurity(security), passphrase=passphrase, pmk=_octets(pmk))
        return await self.handset.open(target, request, service=service, within_us=_micros(within), produce=produce)

    @verb("close")
    async def _do_close(self, target: str = "") -> None:
        """End a data path, by session, device or accessory; by default the newest."""
        self.handset.close(target)

    @verb("devices")
    async def _do_devices(
        self, action: Literal["list", "rename", "remove"] = "list", device: str = "", name: str = ""
    ) -> dict[str, Any]:
        """The paired devices of the app: list them, `rename` one, or `remove` one as in the settings."""
        aware = self.handset.aware
        if action != "list" and not device:
            raise UsageError(f"devices: {action} needs device, an id or name")
        if action == "rename":
            if not name:
                raise UsageError("devices: rename needs name")
            aware.rename(aware.device_id(device), name)
        elif action == "remove":
            aware.remove(aware.device_id(device))
        return done(self.handset.devices())

    @verb("cancel")
    async def _do_cancel(self, target: str = "") -> None:
        """Give up a pairing that is under way, by default the newest."""
        self.handset.cancel(target)


def _micros(within: str | None) -> Micros | None:
    return None if within is None else duration_us(within)


def _octets(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError("pmk: 64 hex digits are expected") from None
