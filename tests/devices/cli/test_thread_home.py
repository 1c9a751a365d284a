"""`pairlab thread` through a running home that is a process of its own, and at a name that Bonjour shows."""

import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from ipaddress import ip_address
from pathlib import Path

import pytest

from devices.cli import thread_places
from devices.errors import EmulatorError
from pairing.dnssd.service import ResolvedService, ResponderLies, ServiceInstance
from pairing.dnssd.txt import TxtRecord
from tests.support.bonjour_host import BonjourHost
from tests.support.command_line import RunningHome, home_up, run
from tests.support.meshcop import PSKC
from tests.support.thread_network import DATASET
from tests.support.udp_border_agent import BackgroundBorderAgent

NAME = f"Thread {os.getpid()}"
TXT = TxtRecord(((b"rv", b"1"), (b"nn", b"EmuTestNet"), (b"xp", bytes.fromhex("1122334455667788"))))


@pytest.fixture(scope="module")
def agent() -> Iterator[BackgroundBorderAgent]:
    with BackgroundBorderAgent() as running:
        yield running


@pytest.fixture(scope="module")
def home(agent: BackgroundBorderAgent, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHome]:
    folder: Path = tmp_path_factory.mktemp("thread")
    text = f'name = "Thread"\n[[commissioner]]\nid = "installer"\naddress = "{agent.address}"\npskc = "{PSKC.hex()}"\n'
    (folder / "thread.toml").write_text(text)
    with home_up(folder, str(folder / "thread.toml"), "--seed", "5") as running:
        yield running


def test_a_homes_commissioner_stays_what_a_shell_has_made_it(
    capsys: pytest.CaptureFixture[str],
    agent: BackgroundBorderAgent,
    home: RunningHome,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAIRLAB_URL", home.ready["api"])
    early = run(capsys, "thread", "resign")
    assert (early.code, "petition" in early.err) == (1, True)
    done = run(capsys, "thread", "petition")
    assert done.out.splitlines()[0].startswith(f"installer is the active Commissioner at {agent.address}, session ")
    assert "next: pairlab thread get" in done.out
    again = run(capsys, "thread", "petition")
    assert (again.code, "active Commissioner already" in again.err) == (1, True)
    assert run(capsys, "thread", "get", "--hex").out == f"{DATASET.hex()}\n"
    assert run(capsys, "thread", "set", "network_name=Attic").code == 0
    home.until("SetAnswered", actor="installer", accepted=True)
    refused = run(capsys, "thread", "set", "channel=20", "--json")
    assert (refused.code, refused.document["verdict"]["rule"]) == (1, "affects-connectivity")
    enabled = run(capsys, "thread", "enable-joiner", "any", "J01NME", "--no-wait")
    assert enabled.out == "any joiner may join for 120 s\n"
    told = run(capsys, "thread", "get", "commissioner")
    assert told.rows["steering data"] == "ff"
    assert run(capsys, "thread", "disable-joiner").out == "done\n"
    removed = run(capsys, "thread", "enable-joiner", "18b4300000000002", "J01NME", "--lifetime", "1", "--json")
    assert (removed.code, removed.document["joined"], removed.document["reason"]) == (1, False, "expired")
    assert run(capsys, "thread", "resign").out == "resigned\n"


def test_a_border_router_that_the_home_has_not_is_said_so(
    capsys: pytest.CaptureFixture[str], home: RunningHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRLAB_URL", home.ready["api"])
    monkeypatch.setenv("PAIRLAB_CODE", "123456789")
    nobody = run(capsys, "thread", "fetch", "--target", "br")
    assert (nobody.code, "no Thread border router 'br'" in nobody.err) == (2, True)
    none = run(capsys, "thread", "share")
    assert (none.code, "this home has none" in none.err) == (2, True)


def test_a_border_router_is_found_by_the_name_that_bonjour_shows(
    capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent
) -> None:
    stack = AsyncExitStack()

    async def announce() -> None:
        host = await stack.enter_async_context(BonjourHost())
        port = int(agent.address.rpartition(":")[2])
        service = ServiceInstance(NAME, "_meshcop._udp", "br-of-test", port, txt=TXT.encode())
        host.do(lambda each, now: each.register(service, now, ResponderLies(assert_without_probing=True)))

    agent.call(announce)
    try:
        got = run(capsys, "thread", "get", "--name", NAME, "--pskc", PSKC.hex(), "--json")
        assert (got.code, got.document["value"]["ext_pan_id"]) == (0, "1122334455667788"), got.err
    finally:
        agent.call(stack.aclose)


def seen(instance: str, service_type: str = "_meshcop._udp", port: int = 49153) -> ResolvedService:
    addresses = (ip_address("2001:db8::1"), ip_address("192.0.2.7"))
    return ResolvedService(instance, service_type, "host", port, TXT.encode(), addresses)


@pytest.mark.parametrize(
    ("name", "services", "said"),
    [
        ("Hall", [], "nobody announces _meshcop._udp"),
        ("Hall", [seen("Attic")], "no _meshcop._udp is called 'Hall'; there are 'Attic'"),
        ("EmuTestNet", [seen("Attic"), seen("Cellar")], "means more than one: 'Attic', 'Cellar'"),
        ("Attic", [ResolvedService("Attic", "_meshcop._udp")], "nobody says where it is"),
    ],
)
def test_a_name_that_fits_none_or_several_says_what_there_is(
    name: str, services: list[ResolvedService], said: str
) -> None:
    with pytest.raises(EmulatorError, match=said):
        thread_places.choose(name, services, is_code=False)


def test_a_name_gives_address_and_what_the_passphrase_needs() -> None:
    services = [seen("Attic #1"), seen("Attic #1", "_meshcop-e._udp", 49200), seen("Cellar", "_trel._udp")]
    found = thread_places.choose("attic", services, is_code=False)
    assert (found.address, found.network_name, found.ext_pan_id) == (
        "192.0.2.7:49153",
        "EmuTestNet",
        "1122334455667788",
    )
    assert thread_places.choose("EmuTestNet", services, is_code=True).address == "192.0.2.7:49200"
