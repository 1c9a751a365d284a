"""HCI over TCP: a host stack in another program, here Bumble's own over a real socket, meets a home's accessories."""

import asyncio
from pathlib import Path

import pytest
from bumble import hci
from bumble.core import UUID
from bumble.device import Device, Peer
from bumble.transport import open_transport

from devices.errors import HomeFileError, TransportUnavailableError
from devices.home.live import HomeOptions, LiveHome
from devices.spec import load_home

HOME = """
[ble]
hci = "127.0.0.1:0"
[[accessory]]
id = "thermo"
kind = "ble-peripheral"
service = [{ uuid = "180f", characteristic = [{ uuid = "2a19", number = 100 }] }]
"""


async def _home(tmp_path: Path, toml: str = HOME) -> LiveHome:
    path = tmp_path / "home.toml"
    path.write_text(toml)
    home = LiveHome(load_home(path), HomeOptions(seed=1))
    await home.start()
    return home


def _port(home: LiveHome) -> int:
    assert home.hci is not None
    return int(home.hci.place.rpartition(":")[2])


@pytest.mark.asyncio
@pytest.mark.interop
async def test_two_hosts_outside_read_one_after_the_other_and_leave_nothing(tmp_path: Path) -> None:
    home = await _home(tmp_path)
    try:
        address = hci.Address(home.accessories["thermo"].endpoints["ble"])
        for number in (3, 4):
            transport = await open_transport(f"tcp-client:127.0.0.1:{_port(home)}")
            client = Device.with_hci(
                "client", hci.Address(f"C4:00:00:00:00:{number:02X}"), transport.source, transport.sink
            )
            await client.power_on()
            peer = Peer(await client.connect(address))
            await peer.discover_services()
            await peer.discover_characteristics()
            (level,) = peer.get_characteristics_by_uuid(UUID("2a19"))
            assert await level.read_value() == b"d"
            await transport.close()  # without a word, as a program that dies
            left = asyncio.ensure_future(_gone(home))
            await asyncio.wait_for(left, 5)
        assert home.ble.connections == []
        assert [each.type for each in home.log.since() if each.type.startswith("Host")] == [
            "HostJoined",
            "HostLeft",
        ] * 2
    finally:
        await home.stop()


async def _gone(home: LiveHome) -> None:
    while home.accessories["thermo"].state != "advertising" or any(
        port.actor.startswith("host-") for port in home.ble.ports
    ):
        await home.clock.sleep(1_000)


@pytest.mark.asyncio
@pytest.mark.interop
async def test_what_is_no_hci_ends_that_connection_alone(tmp_path: Path) -> None:
    home = await _home(tmp_path)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", _port(home))
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        (left,) = [each for each in home.log.since() if each.type == "HostLeft"]
        assert left["reason"].startswith("not HCI")
        assert home.accessories["thermo"].state == "advertising"
    finally:
        await home.stop()


@pytest.mark.asyncio
@pytest.mark.interop
async def test_a_taken_port_and_a_bad_address_are_named(tmp_path: Path) -> None:
    home = await _home(tmp_path)
    try:
        with pytest.raises(TransportUnavailableError, match="cannot listen for HCI"):
            await _home(tmp_path, HOME.replace(":0", f":{_port(home)}"))
    finally:
        await home.stop()
    with pytest.raises(HomeFileError, match="an IPv4 address and a port"):
        await _home(tmp_path, HOME.replace("127.0.0.1:0", "here"))
