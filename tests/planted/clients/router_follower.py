"""A gateway that keeps a connection to a border router of its network: the first one that Bonjour has in view.

Routers go, and come back on another port; where they are is in SRV and in the addresses of its target, nowhere else.
"""

import time

from home import accessory, chosen_bug
from meshcop import Link
from zeroconf import AddressResolverIPv4, IPVersion, ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

SCENARIO = "clients/routers-go-and-move.toml"
BUGS = {
    "takes-the-host-from-the-instance": "expect HandshakeCompleted (attic)",
    "ignores-the-goodbye": "expect HandshakeCompleted (cellar)",
    "keeps-the-first-port": "expect HandshakeCompleted (cellar)",
    "stays-with-a-closed-connection": "expect HandshakeCompleted (cellar)",
}
TYPE = "_meshcop._udp.local."
PSKC = bytes.fromhex("facade00facade00facade00facade00")
ROUTERS = 2
CONNECTIONS = 3
PATIENCE_SECONDS = 20.0
PAUSE_SECONDS = 0.1


class View:
    """The routers of our network that are in view, by instance."""

    def __init__(self, zeroconf: Zeroconf, bug: str | None) -> None:
        self.zeroconf, self.bug = zeroconf, bug
        self.ext_pan_id = bytes.fromhex(accessory("attic")["facts"]["ext_pan_id"])
        self.ports: dict[str, int] = {}
        self.browser = ServiceBrowser(zeroconf, TYPE, handlers=[self._changed])

    def _changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is ServiceStateChange.Removed:
            if self.bug != "ignores-the-goodbye":
                self.ports.pop(name, None)
            return
        info = ServiceInfo(service_type, name)
        info.load_from_cache(zeroconf)
        is_known = name in self.ports and self.bug == "keeps-the-first-port"
        if info.properties.get(b"xp") == self.ext_pan_id and info.port and not is_known:
            self.ports[name] = info.port

    def first(self) -> str | None:
        """Where the first of them is, in the order of their names: `address:port`."""
        for name, port in sorted(self.ports.items()):
            addresses = self._addresses(name)
            return f"{addresses[0]}:{port}" if addresses else None
        return None

    def _addresses(self, name: str) -> list[str]:
        info: ServiceInfo = ServiceInfo(TYPE, name)
        if self.bug == "takes-the-host-from-the-instance":
            info = AddressResolverIPv4(f"{name.removesuffix(TYPE)}local.".replace(" ", "-"))
        info.request(self.zeroconf, 500)
        return info.parsed_addresses(IPVersion.V4Only)


def follow(view: View) -> None:
    """Until we have been connected so many times."""
    until = time.monotonic() + PATIENCE_SECONDS
    connections = 0
    while time.monotonic() < until:
        place = view.first() if len(view.ports) >= ROUTERS or connections else None
        link = None if place is None else Link(place, PSKC)
        if link is not None and link.connect(0.5):
            connections += 1
            if connections == CONNECTIONS:
                link.close()
                return
            while time.monotonic() < until and (link.is_up or view.bug == "stays-with-a-closed-connection"):
                link.hear(PAUSE_SECONDS)
                time.sleep(PAUSE_SECONDS)
        if link is not None:
            link.close()
        time.sleep(PAUSE_SECONDS)


def main() -> None:
    """Look, and follow."""
    bug = chosen_bug(BUGS)
    zeroconf = Zeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    follow(View(zeroconf, bug))
    zeroconf.close()


if __name__ == "__main__":
    main()
