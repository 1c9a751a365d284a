"""An Android app on the wall: pairs two cameras, and shows whichever of them is there, the garage's first.

It lives by the platform's callbacks: services and networks come and go, and what it holds of them with them.
"""

from collections.abc import Iterator
from typing import Any

from home import accessory, ask, chosen_bug, control

SCENARIO = "clients/cameras-come-and-go.toml"
BUGS = {
    "keeps-the-old-endpoint": "expect DataPathOpened (garage)",
    "dials-a-ghost": "expect RequestReceived (porch)",
    "connects-before-it-is-paired": "expect RequestReceived (garage)",
}
SERVICE = "_pairlab-camera._tcp"
PIN_DISPLAY = 2
PAIRING = {
    "pairing_setup_enabled": True,
    "pairing_cache_enabled": True,
    "pairing_verification_enabled": True,
    "bootstrapping_methods": 32,
}
CAMERAS = ("garage", "porch")
TRIES = 4


def call(method: str, /, **arguments: Any) -> Any:
    """One method of the platform; what it returned, None where it threw."""
    return control("POST", f"phones/pixel/wifi-aware/{method}", arguments).get("value")


class Wall:
    """What is in view by alias, what is shown, and by which network."""

    def __init__(self, bug: str | None) -> None:
        self.bug = bug
        self.last = 0
        self.session = 0
        self.handles: dict[str, int] = {}
        self.shown = ""
        self.network: int | None = None
        self.url = ""
        self.unavailable = 0

    def callbacks(self, within: str = "4s") -> Iterator[tuple[str, dict[str, Any]]]:
        """What the platform tells, as it comes, until it is silent for so long."""
        path = f"phones/pixel/wifi-aware/callbacks?after={{}}&within={within}"
        while found := control("GET", path.format(self.last)):
            for each in found:
                self.last = each["number"]
                yield each["callback"], each["arguments"]

    def wait(self, *names: str) -> dict[str, Any]:
        """The arguments of the next callback of one of these names."""
        for name, arguments in self.callbacks():
            if name in names:
                return arguments
        raise SystemExit(f"none of {names} came")

    def pair(self) -> None:
        """Pair both cameras, by the PIN on each."""
        call("attach")
        config = {"service_name": SERVICE, "subscribe_type": 1, "pairing_config": PAIRING}
        self.session = call("subscribe", config=config)
        found = [self.wait("onServiceDiscovered") for _ in CAMERAS]
        for about in found:
            camera, handle = bytes.fromhex(about["service_specific_info"]).decode(), about["peer_handle"]
            peer = {"session": self.session, "peer_handle": handle}
            call("initiateBootstrappingRequest", **peer, method=PIN_DISPLAY)
            self.wait("onBootstrappingSucceeded")
            self.handles[camera] = handle
            if self.bug == "connects-before-it-is-paired":
                continue
            pin = accessory(camera)["shows"]["code"]
            call("initiatePairingRequest", **peer, alias=camera, cipher_suite=16, password=pin)
            self.wait("onPairingSetupSucceeded")

    def show(self) -> None:
        """Ask for a network to the first camera in view."""
        self.shown = next((each for each in CAMERAS if each in self.handles), "")
        if self.shown:
            self.network = call("requestNetwork", session=self.session, peer_handle=self.handles[self.shown])

    def fetch(self) -> None:
        """One picture; none is no reason to stop."""
        try:
            ask("GET", self.url)
        except OSError:
            print(f"{self.shown}: no picture")

    def run(self) -> None:
        """Until nothing has happened for a while, or no camera is left."""
        self.show()
        for name, about in self.callbacks("2500ms"):
            if name == "onCapabilitiesChanged" and about["network"] == self.network:
                self.url = about["endpoints"]["http"]
                self.fetch()
                if self.shown == CAMERAS[-1]:
                    return
            elif name == "onLost" and about["network"] == self.network:
                if self.bug == "keeps-the-old-endpoint":
                    self.fetch()
                else:
                    self.show()
            elif name == "onUnavailable" and about["network"] == self.network:
                self.unavailable += 1
                if self.unavailable < TRIES:
                    self.show()
            elif name == "onServiceLost" and self.bug != "dials-a-ghost":
                self.forget(about["peer_handle"])

    def forget(self, handle: int) -> None:
        """A camera is out of view; if it is the one that is shown, go on to the next."""
        self.handles = {camera: known for camera, known in self.handles.items() if known != handle}
        if self.shown not in self.handles:
            if self.network is not None:
                call("unregisterNetworkCallback", network=self.network)
            self.show()


def main() -> None:
    """Pair, and show."""
    wall = Wall(chosen_bug(BUGS))
    wall.pair()
    wall.run()


if __name__ == "__main__":
    main()
