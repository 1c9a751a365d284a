"""Whoever restarts, forgets or is reset while the other holds keys and a data path: both find together again."""

from typing import Any

import pytest

from devices.accessories.wifi_aware_base import WifiAwareAccessory
from devices.controllers.wifi_aware_handset import Handset
from devices.errors import ActionRefusedError
from devices.home import Home
from tests.support.camera_and_viewer import camera, home_of, pair, viewer

MOVED = "02:00:00:00:00:77"
CHANGES = {
    "camera restarts": ("camera restart",),
    "other restarts": ("other restart",),
    "both restart": ("camera restart", "other restart"),
    "camera forgets": ("camera forget",),
    "other forgets": ("other forget",),
    "camera forgets, other restarts": ("camera forget", "other restart"),
    "camera restarts, other forgets": ("camera restart", "other forget"),
    "camera restarts and forgets": ("camera restart", "camera forget"),
    "other restarts and forgets": ("other restart", "other forget"),
    "camera is reset": ("camera factory-reset",),
    "other is reset": ("other factory-reset",),
}
"""What happens, and to whom; `other` is the viewer or the phone."""


class Couple:
    """A camera, and what pairs with it: a subscriber or a phone."""

    def __init__(self, other: str) -> None:
        self.other = "viewer" if other == "viewer" else "phone"
        phones = [] if other == "viewer" else [{"id": "phone", "name": "Phone", "profile": other}]
        self.home: Home = home_of(camera(), *([viewer()] if other == "viewer" else []), phone=phones)

    def __enter__(self) -> "Couple":
        self.home.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.home.stop()

    def pair(self) -> None:
        """Pair, and wait for the end."""
        self.home[self.other].do("pair", target="camera").result()
        self.home.advance("8s")

    def open(self) -> None:
        """Ask for a data path; whether there is one shows in `paths`."""
        if self.other == "viewer":
            self._attempt("open-data-path")
        else:
            self._attempt("open", target="camera")
        self.home.advance("8s")

    def change(self, change: str) -> None:
        """One of the changes; a phone forgets in its settings, and knows no reset of its own."""
        who, verb = change.split()
        if who == "other" and self.other == "phone" and verb != "restart":
            self.home.call(self._forget_on_phone)
        else:
            self.home["camera" if who == "camera" else self.other].do(verb).result()

    def _forget_on_phone(self) -> None:
        aware = self._phone.aware
        for device in aware.ring.paired:
            aware.remove(device.peer_id)

    @property
    def _phone(self) -> Handset:
        handset = self.home.live.phone("phone").handset
        assert handset is not None
        return handset

    @property
    def paths(self) -> tuple[list[str], list[str]]:
        """The sessions of open data paths as camera and other count them."""
        if self.other == "viewer":
            return self._sessions("camera"), self._sessions("viewer")
        return self._sessions("camera"), sorted(each.session for each in self._phone.paths.open_paths.values())

    def _sessions(self, actor: str) -> list[str]:
        return sorted(each["session"] for each in self.home[actor].facts["data_paths"])

    def _attempt(self, verb: str, **arguments: Any) -> None:
        try:
            self.home[self.other].do(verb, **arguments).result()
        except ActionRefusedError:
            pass  # not paired any more


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("other", ["viewer", "ios-27", "android-17"])
@pytest.mark.parametrize("after", ["90s", pytest.param("5m", marks=pytest.mark.slow)])
def test_both_find_together_again(other: str, change: str, after: str) -> None:
    with Couple(other) as couple:
        couple.pair()
        couple.open()
        before, _ = couple.paths
        assert len(before) == 1
        for each in CHANGES[change]:
            couple.change(each)
        couple.home.advance("3s")
        couple.open()
        couple.open()
        if len(couple.paths[0]) != 1 or couple.paths[0] == before:
            couple.home["camera"].do("open-pairing").result()
            couple.home.advance("2s")
            couple.pair()
            couple.open()
        here, there = couple.paths
        assert here == there
        assert here
        assert not set(before) & set(here)
        failures = len(couple.home.events.all("PairingFailed"))
        couple.home.advance(after)
        assert len(couple.home.events.all("PairingFailed")) == failures  # and nobody runs in a circle


def test_subscriber_that_names_nobody_means_the_publisher_where_it_is_now() -> None:
    with home_of(camera(), camera(id="moved", nmi=MOVED), viewer(verification=False)) as home:
        pair(home, target="camera")
        here, there = (home.live.accessories[each] for each in ("camera", "moved"))
        assert isinstance(here, WifiAwareAccessory)
        assert isinstance(there, WifiAwareAccessory)
        home["camera"].do("power-off").result()
        home["moved"].do("power-off").result()
        home.call(lambda: there.peers.load(here.peers.dump()))
        home["moved"].do("power-on").result()
        home.advance("1s")
        home["viewer"].do("verify").result()
        verified = home.events.wait("PairingVerified", actor="viewer", within="2s")
        assert verified.event.peer == MOVED
