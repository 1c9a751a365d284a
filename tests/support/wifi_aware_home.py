"""A home with a Wi-Fi Aware camera and phones in virtual time, and what tests ask of it in a line."""

from collections.abc import Mapping
from typing import Any

from devices.event_log import StampedEvent
from devices.home import Home

SERVICE = "_sat-simulation._udp"


class WifiAwareHome:
    """A camera and a phone; use it as a context manager."""

    def __init__(
        self,
        profile: str = "ios-26",
        *,
        seed: int = 1,
        camera: Mapping[str, Any] | None = None,
        phone: Mapping[str, Any] | None = None,
        others: list[dict[str, Any]] | None = None,
        air: Mapping[str, Any] | None = None,
    ) -> None:
        camera_table = {"id": "camera", "kind": "wifi-aware-publisher", "name": "Garage Camera", "service": SERVICE}
        phone_table = {"id": "phone", "name": "Phone", "profile": profile}
        tables: dict[str, Any] = {
            "accessory": [{**camera_table, "model": "CAM-1", **(camera or {})}, *(others or [])],
            "phone": [{**phone_table, **(phone or {})}],
        }
        if air is not None:
            tables["air"] = dict(air)
        self.home = Home(tables, seed=seed, virtual=True)

    def __enter__(self) -> "WifiAwareHome":
        self.home.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.home.stop()

    def do(self, verb: str, **arguments: Any) -> Any:
        """Tell the phone a verb."""
        return self.home["phone"].do(verb, **arguments).result()

    def tell_camera(self, verb: str, **arguments: Any) -> Any:
        """Tell the camera a verb."""
        return self.home["camera"].do(verb, **arguments).result()

    def pair(self, **arguments: Any) -> dict[str, Any]:
        """Pair to the end; the result's value."""
        result = self.do("pair", target="camera", wait=True, **arguments)
        assert result["outcome"] == "done", result
        self.expect("PairingCompleted", "camera")
        self.home.advance("2s")  # the camera's next announcement says that pair setup is closed
        value: dict[str, Any] = result["value"]
        return value

    def expect(self, event: str, actor: str = "phone", **where: Any) -> StampedEvent:
        """The next such event."""
        return self.home.events.wait(event, actor=actor, where=where, within="60s")

    def events(self, event: str, actor: str | None = None) -> list[StampedEvent]:
        """All such events so far."""
        return [each for each in self.home.events.all(event) if actor in (None, each.actor)]

    @property
    def code(self) -> str:
        """What the camera shows."""
        return self.home["camera"].code

    @property
    def devices(self) -> list[dict[str, Any]]:
        """The phone's paired devices."""
        found: list[dict[str, Any]] = self.do("devices")["value"]
        return found
