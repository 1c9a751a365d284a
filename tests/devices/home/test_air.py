"""The air of a home: its TSF, its faults, and the UDP port that its file opens."""

import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devices.errors import HomeFileError, TransportUnavailableError, UsageError
from devices.home import Home, HomeOptions, LiveHome
from devices.media.air import AirPort
from devices.media.medium import Flight
from devices.spec import read_home
from devices.transports.air_hub import AirHub
from pairing.nan.service_id import service_id
from tests.support.frames import BROADCAST, frame, mac
from tests.support.needs import requires_tools

ANN, BEN = mac(1), mac(2)
SERVICE = "_camera._udp"


class _Pair:
    """Two radios in a running home."""

    def __init__(self, home: Home) -> None:
        self.heard: list[bytes] = []
        self.outcomes: list[bool] = []
        self._home = home
        self._ann: AirPort = home.call(self._join)

    def _join(self) -> AirPort:
        air = self._home.live.air
        air.attach("ben", (BEN,), self._hear)
        return air.attach(
            "ann", (ANN,), self._hear, on_acknowledged=lambda each: self.outcomes.append(each.acknowledged)
        )

    def _hear(self, flight: Flight) -> None:
        self.heard.append(flight.payload)

    def send(self, payload: bytes) -> None:
        self._home.call(lambda: self._ann.send(payload, BEN))
        self._home.advance("10ms")


def test_a_wire_fault_acts_on_the_air() -> None:
    with Home({}, seed=1, virtual=True) as home:
        pair = _Pair(home)
        with home.fault("drop", medium="air"):
            pair.send(frame(BEN, ANN, b"lost"))
        pair.send(frame(BEN, ANN, b"after"))
        assert (pair.heard, pair.outcomes) == ([frame(BEN, ANN, b"after")], [False, True])
        assert home.events.wait("FaultFired")["what"] == "ann to ben, 28 bytes"


def test_a_fault_of_the_lan_leaves_the_air_alone() -> None:
    with Home({}, seed=1, virtual=True) as home:
        pair = _Pair(home)
        with home.fault("drop", medium="lan", optional=True):
            pair.send(frame(BEN, ANN))
        assert pair.heard == [frame(BEN, ANN)]


def test_what_is_no_frame_is_an_event_of_its_sender() -> None:
    with Home({}, seed=1, virtual=True) as home:
        _Pair(home).send(b"not a frame")
        event = home.events.wait("FrameIgnored", actor="ann")
        assert event["medium"] == "air"
        assert "a frame of 11 octets, expected 24" in event["reason"]


def test_the_tsf_begins_where_the_seed_says() -> None:
    def tsf(seed: int) -> int:
        with Home({}, seed=seed, virtual=True) as home:
            return home.call(home.live.air.tsf)

    assert tsf(1) == tsf(1)
    assert tsf(1) != tsf(2)


@pytest.mark.parametrize("windows", ["off", "strict"])
def test_a_home_file_says_whether_discovery_windows_are_kept(windows: str) -> None:
    with Home({"air": {"discovery_windows": windows}}, seed=1, virtual=True) as home:
        assert home.live.air.discovery_windows == windows


def _hub(home: Home) -> AirHub:
    hub = home.live.air_hub
    assert hub is not None
    return hub


def test_the_port_that_a_home_file_names_is_open_while_the_home_runs() -> None:
    with Home({"air": {"udp": "127.0.0.1:0"}}, seed=1) as home, socket.socket(type=socket.SOCK_DGRAM) as radio:
        address = _hub(home).address
        radio.settimeout(10)
        radio.sendto(b"monitor", address)
        home.events.wait("RadioRegistered", where={"role": "monitor"}, actor="radio:1")
        home.call(lambda: home.live.air.attach("ann", (ANN,), lambda _: None).send(frame(BROADCAST, ANN), BROADCAST))
        assert radio.recv(4_096) == frame(BROADCAST, ANN)
    with socket.socket(type=socket.SOCK_DGRAM) as again:
        again.bind(address)


def test_a_refused_datagram_is_an_event_of_the_hub() -> None:
    with Home({"air": {"udp": "127.0.0.1:0"}}, seed=1) as home, socket.socket(type=socket.SOCK_DGRAM) as radio:
        radio.sendto(b"good morning", _hub(home).address)
        event = home.events.wait("FrameIgnored", actor="air-hub")
        assert (event["protocol"], event["medium"]) == ("air over UDP", "air")


def test_a_port_that_is_taken_ends_the_start_with_its_name() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(TransportUnavailableError, match=f"air hub: UDP port {port} on 127.0.0.1 is taken"):
            Home({"air": {"udp": f"127.0.0.1:{port}"}}, seed=1, free_ports=False).start()


def test_a_port_outside_the_reach_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\[air\] udp: 192\.0\.2\.1 is outside the reach of this home"):
        Home({"air": {"udp": "192.0.2.1:8710"}}, seed=1).start()


def test_in_virtual_time_the_port_stays_closed() -> None:
    with Home({"air": {"udp": "127.0.0.1:0"}}, seed=1, virtual=True) as home:
        assert home.live.air_hub is None


def test_twenty_lines_of_c_find_a_publisher(tmp_path: Path) -> None:
    requires_tools("cc")
    page = (Path(__file__).parents[3] / "specs" / "protocols" / "air.md").read_text()
    program = page.split("```c\n")[1].split("```")[0]
    assert len(program.splitlines()) <= 20
    (tmp_path / "find.c").write_text(program)
    compiler = ["cc", "-Wall", "-Werror", "-o", str(tmp_path / "find"), str(tmp_path / "find.c")]
    subprocess.run(compiler, check=True, timeout=60)
    camera = {"id": "camera", "kind": "wifi-aware-publisher", "service": SERVICE, "nmi": "02:00:00:00:00:ca"}
    with Home({"air": {"udp": "127.0.0.1:0"}, "accessory": [camera]}, seed=1) as home:
        port = _hub(home).address[1]
        finder = [str(tmp_path / "find"), str(port), service_id(SERVICE).hex()]
        found = subprocess.run(finder, capture_output=True, text=True, timeout=20, check=True)
        assert found.stdout == "02:00:00:00:00:ca\n"


@pytest.mark.parametrize("udp", ["8710", "localhost:8710", "127.0.0.1", "127.0.0.1:port", "127.0.0.1:70000", "[::1]:1"])
def test_an_address_that_is_none_is_explained(udp: str) -> None:
    with pytest.raises(HomeFileError, match="udp is an IPv4 address and a port, such as"):
        read_home({"air": {"udp": udp}})


@pytest.mark.asyncio
async def test_free_ports_hold_for_the_air_too() -> None:
    tables: dict[str, Any] = {"air": {"udp": "127.0.0.1:1"}}
    live = LiveHome(read_home(tables), HomeOptions(seed=1, free_ports=True))
    await live.start()
    assert live.air_hub is not None
    assert live.air_hub.address[1] > 1
    await live.stop()
