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

pytestmark = pytest.mark.asyncio

OPERATIONS = """
import json, socket, sys
tcp, udp, control = map(int, sys.argv[1:])
group, here = ("224.0.0.251", 5353), "127.0.0.1"

def datagram(*options, bound=None, family=socket.AF_INET):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    for each in options:
        sock.setsockopt(*each)
    if bound is not None:
        sock.bind((bound, 0))
    return sock

by_interface = (socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(here))
broadcast = (socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
operations = {
    "connect": lambda: socket.create_connection((here, tcp), 5),
    "connect mapped": lambda: socket.create_connection(("::ffff:127.0.0.1", tcp), 5),
    "connect elsewhere": lambda: socket.create_connection(("192.168.1.5", 80), 5),
    "connect elsewhere v6": lambda: socket.create_connection(("2001:db8::1", 80), 5),
    "send": lambda: datagram().sendto(b"x", (here, udp)),
    "connect a datagram socket": lambda: datagram().connect((here, udp)),
    "multicast": lambda: datagram().sendto(b"x", group),
    "multicast by interface": lambda: datagram(by_interface).sendto(b"x", group),
    "multicast from an address": lambda: datagram(bound=here).sendto(b"x", group),
    "multicast mapped": lambda: datagram(family=socket.AF_INET6).sendto(b"x", ("::ffff:224.0.0.251", 5353)),
    "multicast v6": lambda: datagram(family=socket.AF_INET6).sendto(b"x", ("ff02::fb", 5353, 0, 1)),
    "broadcast": lambda: datagram(broadcast, bound=here).sendto(b"x", ("255.255.255.255", 9)),
    "control": lambda: socket.create_connection((here, control), 5),
    "nobody": lambda: socket.create_connection((here, 9), 5),
}
errors = {}
for name, operation in operations.items():
    try:
        operation()
        errors[name] = 0
    except OSError as problem:
        errors[name] = problem.errno
json.dump(errors, sys.stdout)
"""
HOME = ("connect", "connect mapped", "send", "connect a datagram socket")
GROUPS = ("multicast", "multicast by interface", "multicast from an address", "multicast mapped")
ALL = (*HOME, *GROUPS, "broadcast")


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
