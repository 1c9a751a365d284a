"""The local network behind doors: what the kernel tells an unmodified program, operation by operation."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devices.errors import TransportUnavailableError
from devices.transports.local_network import LocalNetwork
from devices.transports.network_namespace import NetworkNamespace
from devices.transports.sockets import bind_udp, listen_tcp
from tests.support.needs import requires_private_networks
from tests.support.network_operations import ALL, GROUPS, HOME, OPERATIONS

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def _network() -> AsyncIterator[tuple[LocalNetwork, tuple[socket.socket, socket.socket, socket.socket]]]:
    requires_private_networks()
    network = await LocalNetwork.open()
    try:
        with (
            listen_tcp("127.0.0.1", 0, "an accessory", explicit=True) as tcp,
            bind_udp("127.0.0.1", 0, "an accessory") as udp,
            listen_tcp("127.0.0.1", 0, "the control API", explicit=True, on_lan=False) as control,
        ):
            yield network, (tcp, udp, control)
    finally:
        await network.close()


async def _run(network: LocalNetwork, code: str, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *network.entry(), sys.executable, "-I", "-S", "-c", code, *words, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(process.communicate(), 20)
    return said.decode()


async def _errors(network: LocalNetwork, servers: tuple[socket.socket, ...]) -> dict[str, int]:
    ports = [str(each.getsockname()[1]) for each in servers]
    errors: dict[str, int] = json.loads(await _run(network, OPERATIONS, *ports))
    return errors


async def test_every_operation_that_needs_the_privilege_fails_with_113_and_no_other_does() -> None:
    async with _network() as (network, servers):
        assert network.deny("no-route") == 0
        errors = await _errors(network, servers)
        assert {errors[each] for each in (*ALL, "connect elsewhere", "connect elsewhere v6", "multicast v6")} == {113}
        assert (errors["control"], errors["nobody"]) == (0, 111)
        # Calls to where there is no route at all are not met by the policy that counts.
        assert network.refused() == len(ALL)


async def test_once_it_is_granted_the_next_call_works() -> None:
    async with _network() as (network, servers):
        network.deny("no-route")
        network.grant()
        errors = await _errors(network, servers)
        assert {errors[each] for each in (*HOME, *GROUPS, "control")} == {0}
        assert network.refused() == 0


async def test_refused_means_connection_refused_for_hosts_and_no_route_for_groups() -> None:
    async with _network() as (network, servers):
        network.deny("refused")
        errors = await _errors(network, servers)
        assert (errors["connect"], errors["multicast"], errors["control"]) == (111, 113, 0)
        assert network.refused() >= 1


async def test_servers_that_open_and_close_meanwhile_are_behind_doors_as_the_others() -> None:
    async with _network() as (network, (_, udp, control)):
        network.deny("no-route")
        with listen_tcp("127.0.0.1", 0, "another accessory", explicit=True) as late:
            assert (await _errors(network, (late, udp, control)))["connect"] == 113
            network.grant()
            assert (await _errors(network, (late, udp, control)))["connect"] == 0
            with late.dup() as still_there:  # so that its number is nobody else's
                late.close()
                assert (await _errors(network, (still_there, udp, control)))["connect"] == 111


async def test_a_connection_that_is_open_is_reset_when_the_privilege_is_taken_away() -> None:
    hold = (
        "import socket, sys\n"
        "sock = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "try:\n    sock.recv(1), sock.recv(1)\nexcept OSError as problem:\n    print(problem.errno)\n"
    )
    async with _network() as (network, (tcp, _, _)):
        loop = asyncio.get_running_loop()
        running = asyncio.ensure_future(_run(network, hold, str(tcp.getsockname()[1])))
        connection, _ = await asyncio.wait_for(loop.sock_accept(tcp), 20)
        with connection:
            connection.send(b"x")
            network.deny("no-route")
            assert await running == "104\n"


async def test_nothing_is_left_of_it() -> None:
    async with _network() as (network, _):
        place = Path("/proc") / network.entry()[2]
        assert place.exists()
    assert not place.exists()


async def test_a_missing_tool_is_named_with_its_package() -> None:
    with pytest.raises(TransportUnavailableError, match=r"unshare, nsenter, ip .*apt install iproute2 util-linux"):
        await NetworkNamespace.open("/nowhere")
