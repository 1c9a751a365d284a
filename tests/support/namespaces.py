"""Two network namespaces joined by a cable, where multicast DNS meets other responders without leaving the machine."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.support.programs import Program

_NUMBERS = count(1)

_BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={socket}</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
"""
_AVAHI_CONFIG = """[server]
use-ipv4=yes
use-ipv6=yes
allow-interfaces={interface}
enable-dbus=yes
disallow-other-stacks=no
[publish]
publish-workstation=no
[rlimits]
"""


@dataclass(frozen=True)
class Namespace:
    """One end of the cable."""

    name: str
    interface: str
    address: str

    def command(self, *words: str) -> list[str]:
        """The command that runs these words in here."""
        return ["ip", "netns", "exec", self.name, *words]


@contextmanager
def cable() -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces with a veth pair between them, IPv4 and link-local IPv6 ready; gone afterwards."""
    unique = f"{os.getpid() % 100000}{next(_NUMBERS)}"
    ends = tuple(
        Namespace(f"pairlab-{unique}{letter}", f"v{unique}{letter}", f"10.88.0.{number}")
        for number, letter in ((1, "a"), (2, "b"))
    )
    with ExitStack() as cleanup:
        for end in ends:
            _ip("netns", "add", end.name)
            cleanup.callback(_ip, "netns", "delete", end.name)
        near, far = ends
        _ip("link", "add", near.interface, "netns", near.name, "type", "veth", "peer", far.interface, "netns", far.name)
        for end in ends:
            no_wait = f"echo 0 > /proc/sys/net/ipv6/conf/{end.interface}/accept_dad"
            subprocess.run(end.command("sh", "-c", no_wait), check=True)
            _ip("-n", end.name, "link", "set", "lo", "up")
            _ip("-n", end.name, "link", "set", end.interface, "up", "multicast", "on")
            _ip("-n", end.name, "addr", "add", f"{end.address}/24", "dev", end.interface)
            _ip("-n", end.name, "route", "add", "224.0.0.0/4", "dev", end.interface)
        yield near, far


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@dataclass(frozen=True)
class Avahi:
    """An avahi daemon in a namespace, with a message bus of its own."""

    place: Namespace
    env: dict[str, str]

    def program(self, *words: str) -> Program:
        """One of avahi's tools, talking to this daemon."""
        return Program(self.place.command(*words), self.env)

    def output(self, *words: str) -> list[str]:
        """What one of avahi's tools prints before it ends."""
        found = subprocess.run(
            self.place.command(*words), env=self.env, check=True, text=True, capture_output=True, timeout=30
        )
        return found.stdout.splitlines()


@contextmanager
def avahi(place: Namespace, folder: Path) -> Iterator[Avahi]:
    """Start avahi in a namespace; nothing of it touches the machine's own bus or run directory."""
    socket, bus_config, config = folder / "bus", folder / "bus.conf", folder / "avahi.conf"
    bus_config.write_text(_BUS_CONFIG.format(socket=socket))
    config.write_text(_AVAHI_CONFIG.format(interface=place.interface))
    env = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={socket}", "LC_ALL": "C.UTF-8"}
    bus = ["dbus-daemon", f"--config-file={bus_config}", "--nofork", "--nopidfile", "--print-address"]
    own_run = "mkdir -p /run/avahi-daemon; mount -t tmpfs none /run/avahi-daemon; exec avahi-daemon"
    daemon = f"{own_run} --no-drop-root --no-chroot --no-rlimits -f {config}"
    with Program(bus, env) as bus_program:
        bus_program.expect(lambda line: line.startswith("unix:"))
        with Program(place.command("unshare", "-m", "sh", "-c", daemon), env) as program:
            program.expect(lambda line: "Server startup complete" in line)
            yield Avahi(place, env)
