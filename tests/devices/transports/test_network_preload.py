"""The local network denied by a preloaded library, where the host has no network namespaces for us."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from devices.errors import TransportUnavailableError
from devices.lab.behind_doors import open_network
from devices.transports.network_namespace import NetworkNamespace
from devices.transports.network_preload import NetworkPreload
from devices.transports.sockets import bind_udp, listen_tcp
from tests.support.needs import requires_tools
from tests.support.network_operations import ALL, HOME, OPERATIONS

pytestmark = pytest.mark.asyncio

# Beyond this machine nobody is asked.
LEFT_OUT = ("connect elsewhere v6",)


async def _errors(network: NetworkPreload, *ports: int, left_out: tuple[str, ...] = LEFT_OUT) -> dict[str, int]:
    words = [*network.entry(), sys.executable, "-I", "-S", "-c", OPERATIONS, *map(str, ports), *left_out]
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    said, _ = await asyncio.wait_for(process.communicate(), 20)
    errors: dict[str, int] = json.loads(said)
    return errors


async def test_the_same_operations_fail_with_the_same_errors_and_work_once_it_is_granted() -> None:
    requires_tools("cc")
    network = await NetworkPreload.open()
    with (
        listen_tcp("127.0.0.1", 0, "an accessory", explicit=True) as tcp,
        bind_udp("127.0.0.1", 0, "an accessory") as udp,
        listen_tcp("127.0.0.1", 0, "the control API", explicit=True, on_lan=False) as control,
    ):
        ports = [each.getsockname()[1] for each in (tcp, udp, control)]
        network.deny("no-route")
        errors = await _errors(network, *ports)
        assert {errors[each] for each in (*ALL, "connect elsewhere", "multicast v6")} == {113}
        assert (errors["control"], errors["nobody"]) == (0, 111)
        assert network.refused() == len(ALL) + 2
        network.deny("refused")
        refused = await _errors(network, *ports)
        assert {refused[each] for each in HOME} == {111}
        network.grant()
        granted = await _errors(network, *ports, left_out=(*LEFT_OUT, "connect elsewhere", *set(ALL) - set(HOME)))
        assert {granted[each] for each in HOME} == {0}
    await network.close()
    page = Path(network.entry()[2].partition("=")[2])
    assert not await asyncio.to_thread(page.exists)


async def test_it_is_the_second_choice_and_the_first_ones_reason_is_said(caplog: pytest.LogCaptureFixture) -> None:
    requires_tools("cc")

    async def no_tools() -> NetworkPreload:
        await NetworkNamespace.open("/nowhere")
        raise AssertionError

    network = await open_network(no_tools)
    await network.close()
    assert isinstance(network, NetworkPreload)
    assert "needs unshare, nsenter, ip" in caplog.text


async def test_without_a_compiler_both_reasons_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(TransportUnavailableError, match=r"there is no C compiler \(cc, gcc, clang\)"):
        await NetworkPreload.open()
