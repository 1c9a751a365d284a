"""Homes with a Wi-Fi Aware camera and a viewer, and what happens in them."""

from collections.abc import Mapping
from typing import Any

from devices.event_log import StampedEvent
from devices.home import Home

SERVICE = "_viewed._tcp"


def camera(**changes: Any) -> dict[str, Any]:
    """A camera's table."""
    return {"id": "camera", "kind": "wifi-aware-camera", "name": "Garage", "service": SERVICE, **changes}


def viewer(**changes: Any) -> dict[str, Any]:
    """A viewer's table."""
    return {"id": "viewer", "kind": "wifi-aware-subscriber", "name": "Viewer", "service": SERVICE, **changes}


def home_of(*accessories: Mapping[str, Any], seed: int = 1, virtual: bool = True, **tables: Any) -> Home:
    """A home with these accessories."""
    spec = {"name": "Test", "accessory": list(accessories), **tables}
    return Home(spec, seed=seed, virtual=virtual)


def pair(home: Home, **arguments: Any) -> None:
    """Let the viewer pair, and pass the time that it takes."""
    home["viewer"].do("pair", **arguments).result()
    home.advance("5s")


def open_path(home: Home) -> StampedEvent:
    """Let the viewer open a data path; the camera's endpoint."""
    last = home.events.all()[-1].id
    home["viewer"].do("open-data-path").result()
    home.advance("1s")
    return next(each for each in home.events.all("EndpointOpened", after=last) if each.actor == "camera")


def events_of(home: Home, actor: str, kind: str, after: int = 0) -> list[StampedEvent]:
    """An actor's events of one kind."""
    return [each for each in home.events.all(kind, after=after) if each.actor == actor]


def happened(home: Home, actor: str, *kinds: str) -> list[str]:
    """Which of these kinds happened to an actor, in order."""
    return [each.type for each in home.events.all() if each.actor == actor and each.type in kinds]
