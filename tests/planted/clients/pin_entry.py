"""An iPhone app that pairs a camera with a PIN which its user types, now wrong, now right, and once not at all.

The system's picker tells an app little of why a pairing failed; what is paired, the list of paired devices says.
"""

import time
from collections.abc import Callable
from typing import Any

from home import accessory, ask, chosen_bug, control, wait_for

SCENARIO = "clients/wrong-cancel-third-wrong-right.toml"
BUGS = {
    "reuses-the-pin": "expect PairingCompleted (camera)",
    "begins-again-after-a-cancel": "never BootstrappingStarted (phone)",
    "hammers-the-locked-camera": "never PairingFailed (camera)",
    "stores-before-the-confirmation": "expect PairingFailed (phone)",
}
WIFI_AWARE = "phones/phone/wifi-aware"
SERVICE = "_sat-simulation._udp"
LOCKS_AFTER = 3
HESITATION_SECONDS = 0.8
PATIENCE_SECONDS = 3


class App:
    """What the app remembers: its wrong PINs in a row, the last PIN, and the cameras that it takes for paired."""

    def __init__(self, bug: str | None, user: Callable[[], str | None]) -> None:
        self.bug = bug
        self.user = user
        self.wrong = 0
        self.last = ""
        self.cameras: list[str] = []

    def pair(self) -> None:
        """Until the camera is paired, or its user has had enough."""
        while not self.cameras:
            pin = self.user()
            if pin and self.last and self.bug == "reuses-the-pin":
                pin = self.last
            if pin is None:
                self.cancel()
            elif pin == "":
                return
            else:
                self.attempt(pin)

    def cancel(self) -> None:
        """Its user closes the picker while it asks for the PIN."""
        control("POST", f"{WIFI_AWARE}/picker", {"service": SERVICE, "wait": False})
        wait_for("CodeRequired", actor="phone", is_waiting=True)
        control("DELETE", f"{WIFI_AWARE}/picker")
        if self.bug == "begins-again-after-a-cancel":
            self.attempt(self.last)
        time.sleep(HESITATION_SECONDS)

    def attempt(self, pin: str) -> None:
        """One attempt, and what is to be done after it."""
        before = control("GET", f"{WIFI_AWARE}/paired-devices")
        self.last = pin
        if self.bug == "stores-before-the-confirmation":
            control("POST", f"{WIFI_AWARE}/picker", {"service": SERVICE, "code": pin, "wait": False})
            self.cameras.append("Garage Camera")
            return
        picked = control("POST", f"{WIFI_AWARE}/picker", {"service": SERVICE, "code": pin})
        if picked["outcome"] == "done":
            after = f"{WIFI_AWARE}/paired-devices?after={before['snapshot']}&within={PATIENCE_SECONDS}s"
            self.cameras += control("GET", after)["devices"]
            return
        self.wrong += 1
        if self.wrong == LOCKS_AFTER and self.bug != "hammers-the-locked-camera":
            # "Press the button on the camera, and try again."
            control("POST", "accessories/camera/actions/press")
            self.wrong = 0

    def look(self) -> None:
        """Show what the camera sees."""
        opened: dict[str, Any] = control("POST", f"{WIFI_AWARE}/connections", {"to": self.cameras[0]})
        if opened["outcome"] == "done":
            ask("GET", opened["value"]["endpoints"]["http"])


def main() -> None:
    """Pair, and look."""
    right = accessory("camera")["shows"]["code"]
    typed = iter(["000000", None, "111111", "222222", right, right, right])
    app = App(chosen_bug(BUGS), lambda: next(typed, ""))
    app.pair()
    if app.cameras:
        app.look()


if __name__ == "__main__":
    main()
