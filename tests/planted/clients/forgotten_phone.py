"""An iPhone app that shows a paired camera again the next day, when the camera has forgotten the phone."""

from home import ask, chosen_bug, control, wait_for

SCENARIO = "clients/forgotten-phone.toml"
BUGS = {
    "verifies-for-ever": "never PairingStarted (phone)",
    "falls-back-to-an-open-path": "expect PeerRemoved (phone)",
    "takes-it-for-out-of-range": "expect PeerRemoved (phone)",
}
WIFI_AWARE = "phones/phone/wifi-aware"
SERVICE = "_sat-simulation._udp"


def pair() -> str:
    """Its user picks the camera and types its PIN; the id of the paired device."""
    pin = control("GET", "accessories/camera?secrets=true")["shows"]["code"]
    picked = control("POST", f"{WIFI_AWARE}/picker", {"service": SERVICE, "code": pin})
    return str(picked["value"]["device"]["id"])


def look(device: str, security: str = "paired") -> bool:
    """Connect, show one picture, and hang up; whether there was one."""
    opened = control("POST", f"{WIFI_AWARE}/connections", {"to": device, "security": security})
    if opened["outcome"] != "done":
        return False
    connection = opened["value"]
    ask("GET", connection["endpoints"]["http"])
    control("DELETE", f"{WIFI_AWARE}/connections/{connection['id']}")
    return True


def main() -> None:
    """Pair and look; the next day, look again."""
    bug = chosen_bug(BUGS)
    device = pair()
    look(device)
    wait_for("StateChanged", actor="phone", reason="power-on")
    if look(device):
        return
    if bug == "verifies-for-ever":
        for _ in range(3):
            look(device)
        return
    if bug == "falls-back-to-an-open-path":
        look(device, "open")
        return
    if bug == "takes-it-for-out-of-range":
        return  # it will come back by itself
    control("DELETE", f"{WIFI_AWARE}/paired-devices/{device}")
    look(pair())


if __name__ == "__main__":
    main()
