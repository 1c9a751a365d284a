"""`pairlab up` as a user starts it, met by avahi, mdns-scan and python-zeroconf over a cable between two namespaces."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pairing.thread.dataset import Dataset
from pairing.thread.meshcop_txt import MeshCopTxt
from tests.support.namespaces import Avahi, Namespace, avahi, cable
from tests.support.needs import requires_root, requires_tools
from tests.support.programs import Program

pytestmark = [pytest.mark.interop]
DATASET = (
    "0e080000000000010000000300001035060004001fffe002083c66f0dc9ef53f1c0708fdb360c72874da9905104094dce45388fd3d3426e992"
    "cbf0697b030d474c2d5332302d6e65773030310102250b04106c9f919a4da9b213764fc83f849381080c0402a0f7f8"
)
HOME = """
name = "Cable"
seed = {seed}
[[accessory]]
id = "br"
kind = "thread-border-router"
name = "GL-S20"
dataset = "{dataset}"
attach = "200ms"
"""
BROWSE_WITH_ZEROCONF = """
import asyncio, json, sys
from devices.bonjour.browser import browse
for found in asyncio.run(browse(["_meshcop._udp"], 2.0, [sys.argv[1]])):
    print(json.dumps({"instance": found.instance, "txt": (found.txt or b"").hex(), "port": found.port}))
"""


class Home(Program):
    """`pairlab up --json` in a namespace, reaching that namespace's cable alone."""

    def __init__(self, place: Namespace, folder: Path, *, seed: int = 1, dataset: str = DATASET) -> None:
        file = folder / f"home-{seed}.toml"
        file.write_text(HOME.format(seed=seed, dataset=dataset))
        command = [sys.executable, "-m", "devices.cli.main", "up", str(file), "--json", "--api-port", "0"]
        env = {**os.environ, "PAIRLAB_REACH": place.interface}
        super().__init__(place.command(*command), env)
        self.ready = json.loads(self.expect(lambda line: line.startswith('{"event":"ready"'), 30))

    def published(self, **where: Any) -> dict[str, Any]:
        """The next news of its `_meshcop._udp` service with these members."""

        def fits(line: str) -> bool:
            event = json.loads(line)
            return event.get("service_type") == "_meshcop._udp" and all(event[key] == where[key] for key in where)

        news: dict[str, Any] = json.loads(self.expect(fits))
        return news


@pytest.fixture(scope="module")
def ends() -> Iterator[tuple[Namespace, Namespace]]:
    requires_root()
    requires_tools("ip", "unshare", "dbus-daemon", "avahi-daemon", "avahi-browse", "avahi-publish", "mdns-scan")
    with cable() as both:
        yield both


@pytest.fixture(scope="module")
def neighbour(ends: tuple[Namespace, Namespace], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Avahi]:
    with avahi(ends[1], tmp_path_factory.mktemp("avahi")) as daemon:
        yield daemon


def seen_by_avahi(daemon: Avahi, instance: str) -> bytes | None:
    """The TXT rdata that avahi-browse resolves for an instance over IPv4, None where it resolves none."""
    escaped = re.sub(r"[^A-Za-z0-9_-]", lambda found: f"\\{ord(found[0]):03d}", instance)
    for line in daemon.output("avahi-browse", "-rtp", "_meshcop._udp"):
        fields = line.split(";", 9)
        if fields[0] == "=" and fields[2] == "IPv4" and fields[3] == escaped:
            return txt_of(fields[9])
    return None


def txt_of(printed: str) -> bytes:
    """TXT rdata from avahi's print: quoted strings in reverse order, other bytes as \\ddd in decimal."""
    strings = re.findall(r'"((?:\\.|[^"\\])*)"', printed)
    values = [
        re.sub(rb"\\(\d{3}|.)", lambda m: bytes([int(m[1])]) if m[1].isdigit() else m[1], each.encode("latin-1"))
        for each in strings
    ]
    return b"".join(bytes([len(value)]) + value for value in reversed(values))


@pytest.fixture(scope="class")
def news(ends: tuple[Namespace, Namespace], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a home says that it has published; it runs until the class is over."""
    with Home(ends[0], tmp_path_factory.mktemp("home")) as home:
        yield home.published(type="ServicePublished")


class TestLooking:
    """What others see of one home."""

    def test_avahi_resolves_the_router_with_a_txt_equal_to_its_dataset(
        self, news: dict[str, Any], neighbour: Avahi
    ) -> None:
        txt = seen_by_avahi(neighbour, "GL-S20")
        assert txt is not None
        assert txt.hex() == news["txt"]
        record, dataset = MeshCopTxt.decode(txt), Dataset.from_hex(DATASET)
        assert record.network_name == dataset.network_name
        assert record.extended_pan_id == dataset.ext_pan_id
        assert record.active_timestamp == dataset.active_timestamp

    def test_python_zeroconf_and_mdns_scan_find_what_was_published(
        self, ends: tuple[Namespace, Namespace], news: dict[str, Any]
    ) -> None:
        there = ends[1]
        browser = there.command(sys.executable, "-c", BROWSE_WITH_ZEROCONF, there.interface)
        found = subprocess.run(browser, check=True, capture_output=True, text=True, timeout=30).stdout
        with Program(there.command("mdns-scan")) as scan:
            line = scan.expect(lambda line: "_meshcop._udp" in line and "GL-S20" in line)
        assert [json.loads(each) for each in found.splitlines()] == [
            {"instance": "GL-S20", "txt": news["txt"], "port": news["port"]}
        ]
        assert "GL-S20._meshcop._udp.local" in line


def test_two_homes_with_one_name_end_with_two_names(ends: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    with Home(ends[0], tmp_path) as first:
        assert first.published(type="ServicePublished")["instance"] == "GL-S20"
        with Home(ends[1], tmp_path, seed=2) as second:
            assert second.published(type="ServicePublished")["instance"] == "GL-S20 (2)"


def test_a_name_that_avahi_holds_is_left_to_it(
    ends: tuple[Namespace, Namespace], neighbour: Avahi, tmp_path: Path
) -> None:
    with neighbour.program("avahi-publish", "-s", "GL-S20", "_meshcop._udp", "49152", "rv=1") as publisher:
        publisher.expect(lambda line: "Established" in line)
        with Home(ends[0], tmp_path) as home:
            assert home.published(type="ServicePublished")["instance"] == "GL-S20 (2)"


def test_a_killed_home_leaves_stale_records_that_its_restart_corrects(
    ends: tuple[Namespace, Namespace], neighbour: Avahi, tmp_path: Path
) -> None:
    changed = DATASET.replace(b"GL-S20-new001".hex(), b"GL-S20-new002".hex())
    with Home(ends[0], tmp_path) as home:
        home.published(type="ServicePublished")
        before = seen_by_avahi(neighbour, "GL-S20")
        home.kill()
    stale = seen_by_avahi(neighbour, "GL-S20")
    with Home(ends[0], tmp_path, dataset=changed) as home:
        news = home.published(type="ServicePublished")
        after = seen_by_avahi(neighbour, "GL-S20")
    assert before == stale
    assert after is not None
    assert after.hex() == news["txt"]
    assert MeshCopTxt.decode(after).network_name == "GL-S20-new002"
