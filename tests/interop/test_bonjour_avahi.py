"""Our responder and avahi on one cable: each in a network namespace, over IPv4 and IPv6, with nothing in between."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.namespaces import Avahi, Namespace, avahi, cable
from tests.support.needs import requires_root, requires_tools
from tests.support.programs import Program

pytestmark = [pytest.mark.interop]
TOOLS = ("ip", "unshare", "dbus-daemon", "avahi-daemon", "avahi-browse", "avahi-publish", "avahi-resolve")
MESHCOP = "_meshcop._udp"
EVERY_BYTE = bytes(range(256))
TXT = b"\x04rv=1" + b"\x13xa=" + EVERY_BYTE[:16] + b"\xffzz=" + EVERY_BYTE[1:253]


class Host(Program):
    """A Responder of ours as a program in a namespace."""

    def __init__(self, place: Namespace) -> None:
        arguments = json.dumps({"reach": [place.interface]})
        super().__init__(place.command(sys.executable, "-m", "tests.support.bonjour_host", arguments))
        self.await_event("ready")

    def __exit__(self, *stopped: Any) -> None:
        if self.is_running:
            self.tell('{"do": "close"}')  # goodbyes, unless the test has cut the power
            self.wait(5)
        super().__exit__(*stopped)

    def do(self, verb: str, instance: str, **fields: Any) -> None:
        """Give a command."""
        values = {"type": MESHCOP, "host": "ot1", "port": 49154, "txt": TXT.hex(), **fields}
        self.tell(json.dumps({"do": verb, "instance": instance, **values}))

    def await_event(self, kind: str) -> dict[str, str]:
        """The next event of a kind."""
        line = self.expect(lambda line: line.startswith("{") and json.loads(line)["event"] == kind)
        event: dict[str, str] = json.loads(line)
        return event

    def publish(self, instance: str, **fields: Any) -> str:
        """Register, wait for the announcement, and return the name that was won."""
        self.do("register", instance, **fields)
        return self.await_event("ServicePublished")["instance"]


@pytest.fixture(scope="module")
def ends() -> Iterator[tuple[Namespace, Namespace]]:
    """The two ends of the cable."""
    requires_root()
    requires_tools(*TOOLS)
    with cable() as ends:
        yield ends


@pytest.fixture(scope="module")
def other(ends: tuple[Namespace, Namespace], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Avahi]:
    """avahi at the far end."""
    with avahi(ends[1], tmp_path_factory.mktemp("avahi")) as daemon:
        yield daemon


def unescaped(field: str) -> str:
    """A field of avahi-browse's parsable lines, with its decimal escapes resolved."""
    return re.sub(rb"\\(\d{3}|.)", _one, field.encode()).decode()


def _one(found: re.Match[bytes]) -> bytes:
    return bytes((int(found[1]),)) if len(found[1]) == 3 else found[1]


def resolved(lines: list[str], instance: str) -> dict[str, tuple[str, int, str]]:
    """Host, port and TXT of an instance by protocol, from avahi-browse's lines."""
    fields = [line.split(";", 9) for line in lines if line.startswith("=")]
    return {each[2]: (each[6], int(each[8]), each[9]) for each in fields if unescaped(each[3]) == instance}


def txt_strings(shown: str) -> set[bytes]:
    """The strings of a TXT record as avahi shows them, in quotes and with decimal escapes."""
    raw = shown.encode("utf-8", "surrogateescape")
    strings = re.findall(rb'"((?:[^"\\]|\\\d{3}|\\.)*)"', raw)
    return {re.sub(rb"\\(\d{3}|.)", _one, each) for each in strings}


def txt_becomes(other: Avahi, instance: str, expected: str, seconds: float = 10.0) -> bool:
    """Whether avahi, asked again and again, comes to hold exactly this TXT; an old one may live a second longer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = resolved(other.output("avahi-browse", "-rtp", MESHCOP), instance)
        if {txt for _, _, txt in found.values()} == {expected}:
            return True
    return False


@pytest.fixture(scope="module")
def host(other: Avahi, ends: tuple[Namespace, Namespace]) -> Iterator[Host]:
    """Our responder at the near end, with the services that the tests below look at."""
    with Host(ends[0]) as host:
        host.do("register", "Hub v2.0", host="pairlab-hub")
        host.do("register", "With subtypes", subtypes=["_r1", "_r2"])
        host.do("register", "Other type", type="_trel._udp", subtypes=["_r1"])
        for instance in ("Without", "Leaving", "Held"):
            host.do("register", instance)
        host.do("register", "Changing", txt=b"\x05at=01".hex())
        for _ in range(7):
            host.await_event("ServicePublished")
        yield host


@pytest.mark.usefixtures("host")
class TestLooking:
    """What avahi and mdns-scan see of services that stand."""

    def test_avahi_resolves_over_both_families_with_every_txt_byte_and_a_dot_in_the_name(self, other: Avahi):
        lines = other.output("avahi-browse", "-rtp", MESHCOP)

        found = resolved(lines, "Hub v2.0")
        assert set(found) == {"IPv4", "IPv6"}
        for server, port, shown in found.values():
            assert (server, port) == ("pairlab-hub.local", 49154)
            assert txt_strings(shown) == {b"rv=1", b"xa=" + EVERY_BYTE[:16], b"zz=" + EVERY_BYTE[1:253]}

    def test_avahi_browses_our_subtypes(self, other: Avahi):
        for subtype in ("_r1", "_r2"):
            lines = other.output("avahi-browse", "-tp", f"{subtype}._sub.{MESHCOP}")
            assert {unescaped(line.split(";")[3]) for line in lines} == {"With subtypes"}

    def test_avahi_lists_our_types_without_subtypes(self, other: Avahi):
        lines = other.output("avahi-browse", "-atp")

        assert {MESHCOP, "_trel._udp"} <= {line.split(";")[4] for line in lines}
        assert not any("_sub" in line for line in lines)

    def test_avahi_resolves_our_host_over_both_families(self, other: Avahi):
        (v4,) = other.output("avahi-resolve", "-4", "-n", "pairlab-hub.local")
        (v6,) = other.output("avahi-resolve", "-6", "-n", "pairlab-hub.local")

        assert v4.split() == ["pairlab-hub.local", "10.88.0.1"]
        assert v6.split()[1].startswith("fe80::")

    def test_avahi_finds_a_host_name_for_our_address(self, other: Avahi):
        (name,) = other.output("avahi-resolve", "-a", "10.88.0.1")

        assert name.split()[1] in ("pairlab-hub.local", "ot1.local")

    def test_mdns_scan_sees_our_services(self, ends: tuple[Namespace, Namespace]):
        requires_tools("mdns-scan")
        with Program(ends[1].command("mdns-scan")) as scanner:
            for name in ("Hub v2.0", "With subtypes"):
                assert MESHCOP in scanner.expect(lambda line, name=name: name in line)


def test_avahi_drops_our_service_as_soon_as_it_says_goodbye(other: Avahi, host: Host):
    with other.program("avahi-browse", "-p", MESHCOP) as browser:
        browser.expect(lambda line: line.startswith("+") and "Leaving" in line)
        host.do("withdraw", "Leaving")
        host.await_event("ServiceWithdrawn")
        line = browser.expect(lambda line: line.startswith("-") and "Leaving" in line, seconds=3)

    assert line.split(";")[4] == MESHCOP


def test_new_txt_reaches_avahi_and_the_old_one_is_gone(other: Avahi, host: Host):
    assert txt_becomes(other, "Changing", '"at=01"')
    host.do("update", "Changing", txt=b"\x05at=02".hex())
    host.await_event("ServiceUpdated")

    assert txt_becomes(other, "Changing", '"at=02"')


def test_we_rename_when_avahi_has_the_name(other: Avahi, host: Host):
    with other.program("avahi-publish", "-s", "Taken", MESHCOP, "1234", "rv=1") as publisher:
        publisher.expect(lambda line: "Established" in line)
        won = host.publish("Taken")

        assert won == "Taken (2)"
        lines = other.output("avahi-browse", "-rtp", MESHCOP)
        assert {name for name in ("Taken", "Taken (2)") if resolved(lines, name)} == {"Taken", "Taken (2)"}


def test_avahi_renames_when_we_have_the_name(other: Avahi, host: Host):
    with other.program("avahi-publish", "-s", "Held", MESHCOP, "1234", "rv=1") as publisher:
        publisher.expect(lambda line: "collision" in line)
        publisher.expect(lambda line: "Established under name 'Held #2'" in line)

        lines = other.output("avahi-browse", "-rtp", MESHCOP)
    assert resolved(lines, "Held")["IPv4"][:2] == ("ot1.local", 49154)
    assert resolved(lines, "Held #2")["IPv4"][1] == 1234


def test_two_of_our_responders_with_one_name_end_with_two(ends: tuple[Namespace, Namespace]):
    with Host(ends[0]) as host, Host(ends[1]) as far:
        host.do("register", "Twin", host="near")
        far.do("register", "Twin", host="far")
        names = {each.await_event("ServicePublished")["instance"] for each in (host, far)}

    assert names == {"Twin", "Twin (2)"}


def test_restart_after_kill_corrects_what_the_dead_process_left_behind(other: Avahi, ends: tuple[Namespace, Namespace]):
    with Host(ends[0]) as first:
        first.publish("Phoenix", txt=b"\x05at=01".hex())
        first.kill()
    assert txt_becomes(other, "Phoenix", '"at=01"')

    with Host(ends[0]) as second:
        assert second.publish("Phoenix", txt=b"\x05at=02".hex()) == "Phoenix"
        assert txt_becomes(other, "Phoenix", '"at=02"')


def test_nothing_is_left_of_a_cable_that_was_taken_away(tmp_path: Path):
    requires_root()
    requires_tools("ip")
    with cable() as (near, far):
        names = {near.name, far.name}
        assert names <= set(_namespaces())

    assert not names & set(_namespaces())


def _namespaces() -> list[str]:
    listed = subprocess.run(["ip", "netns", "list"], check=True, text=True, capture_output=True)
    return [line.split()[0] for line in listed.stdout.splitlines()]
