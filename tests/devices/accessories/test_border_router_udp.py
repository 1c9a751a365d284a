"""A border router on real sockets: REST and MeshCoP are two sides of one network, and joiners come in by UDP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from devices.driver import EngineDriver
from devices.errors import TransportUnavailableError
from devices.event_log import Pattern
from devices.home.live import HomeOptions, LiveHome, read_fault
from devices.spec import read_home
from devices.transcripts.reader import Frame, Happened
from devices.transcripts.recorder import MemoryTranscript, Recorder
from devices.transports.sockets import bind_udp
from devices.transports.udp_client import UdpClient
from pairing.engine import SECOND, Endpoint, Event
from pairing.errors import PeerRejectedError
from pairing.thread.dataset import Dataset
from pairing.thread.joiner import Joiner
from pairing.thread.meshcop_events import JoinerEntrusted, JoiningFailed
from tests.support.thread_network import DATASET, counting_entropy
from tests.support.transcripts import records_of

pytestmark = pytest.mark.asyncio
EUI64, PSKD = bytes.fromhex("18b4300000000002"), "J01NME"


class Scene:
    """A home on the test's loop, and a client of its router's REST API."""

    def __init__(self, live: LiveHome, rest: httpx.AsyncClient, transcript: MemoryTranscript) -> None:
        self.live = live
        self.rest = rest
        self.transcript = transcript
        self.router = live.accessory("br")

    async def do(self, actor: str, verb: str, **arguments: Any) -> Any:
        return await self.live.do(actor, verb, arguments)

    async def happened(self, kind: str, actor: str | None = "br", **where: Any) -> dict[str, Any]:
        waited = await self.live.log.wait(
            Pattern(kind, where, actor), clock=self.live.clock, within_us=10 * SECOND, after=0
        )
        assert waited.event is not None, f"no {kind}: {waited.nearest}"
        return waited.event.as_json(secrets=True)

    async def get(self, path: str) -> Any:
        return (await self.rest.get(path)).json()

    async def join(self) -> JoinerEntrusted | JoiningFailed:
        """A joiner at the joiner port, until it has what it came for, or not."""
        host, port = self.router.endpoints["joiner"].split(":")
        router = Endpoint(host, int(port))
        ended: asyncio.Future[JoinerEntrusted | JoiningFailed] = asyncio.get_running_loop().create_future()

        def note(event: Event) -> None:
            if isinstance(event, JoinerEntrusted | JoiningFailed):
                ended.set_result(event)

        joiner = EngineDriver(Joiner(router, EUI64, PSKD, counting_entropy(20)), self.live.clock, on_event=note)
        joiner.port = path = await UdpClient.open(router, joiner.deliver, lambda: None)
        joiner.do(lambda engine, now: engine.start(now))
        event = await asyncio.wait_for(ended, 10)
        joiner.stop()
        await path.close()
        return event

    async def expect_joiner(self) -> str:
        """A task of REST that lets the joiner in; its path."""
        attributes = {"eui": EUI64.hex(), "pskd": PSKD, "timeout": 60}
        task = {"data": [{"type": "addThreadDeviceTask", "attributes": attributes}]}
        headers = {"Content-Type": "application/vnd.api+json"}
        posted = (await self.rest.post("/api/actions", json=task, headers=headers)).json()
        await self.happened("JoinerEnabled")
        return f"/api/actions/{posted['data'][0]['id']}"


@asynccontextmanager
async def scene(**keys: Any) -> AsyncIterator[Scene]:
    """A leader of a known network, and a commissioner."""
    table = {"id": "br", "kind": "thread-border-router", "dataset": DATASET.hex(), "attach": "10ms", **keys}
    spec = read_home({"accessory": [table], "commissioner": [{"id": "installer", "patience": "5s"}]})
    transcript = MemoryTranscript()
    recorder = Recorder(transcript, now=lambda: live.clock.now(), seed=1, secrets=True)
    live = LiveHome(spec, HomeOptions(seed=1, free_ports=True), taps=[recorder])
    live.record_to(recorder)
    await live.start()
    try:
        async with httpx.AsyncClient(base_url=live.accessory("br").endpoints["rest"]) as rest:
            here = Scene(live, rest, transcript)
            await here.happened("RoleChanged", role="leader")
            yield here
    finally:
        await live.stop()


@pytest_asyncio.fixture
async def home() -> AsyncIterator[Scene]:
    async with scene() as running:
        yield running


# One network


async def test_what_a_commissioner_changes_rest_tells_and_the_other_way_round(home: Scene) -> None:
    assert (await home.do("installer", "petition"))["outcome"] == "done"
    await home.do("installer", "set", fields={"network_name": "Attic"})
    assert (await home.get("/node"))["networkName"] == "Attic"
    assert (await home.get("/node/dataset/active"))["networkName"] == "Attic"
    later = {"network_name": "Later", "delay_timer_ms": 60_000}
    await home.do("installer", "set", kind="pending", fields=later)
    pending = await home.get("/node/dataset/pending")
    assert pending["activeDataset"]["networkName"] == "Later"
    assert 50_000 < pending["delay"] <= 60_000
    moved = {"activeDataset": {"networkName": "By REST", "activeTimestamp": {"seconds": 9}}, "delay": 90_000}
    assert (await home.rest.put("/node/dataset/pending", json=moved)).status_code == 200
    read = (await home.do("installer", "get", kind="pending"))["value"]
    assert read["network_name"] == "By REST"
    assert (await home.do("installer", "resign"))["outcome"] == "done"


async def test_there_is_one_commissioner_be_it_built_in_or_not(home: Scene) -> None:
    await home.do("installer", "petition")
    await home.rest.put("/node/commissioner/state", json="enable")
    await home.happened("PetitionRejected", holder="installer")
    assert await home.get("/node/commissioner/state") == "disabled"
    await home.do("installer", "resign")
    await home.rest.put("/node/commissioner/state", json="enable")
    await home.happened("PetitionAccepted", commissioner_id="OpenThread Commissioner")
    assert await home.get("/node/commissioner/state") == "active"
    refused = await home.do("installer", "petition")
    assert refused["verdict"]["came"] == "'OpenThread Commissioner' is active"


async def test_a_code_opened_by_rest_is_worth_the_dataset_once(home: Scene) -> None:
    opened = (await home.rest.post("/node/ba-epskc/key", json={"lifetime": 60_000})).json()
    assert await home.get("/node/ba-epskc/key") == {"state": "started", "port": opened["port"]}
    assert home.router.shows == {"code": opened["tap"]}
    place = f"127.0.0.1:{opened['port']}"
    assert home.router.endpoints["ephemeral-key"] == place
    fetched = await home.do("installer", "fetch", code=opened["tap"], address=place)
    assert fetched["value"]["dataset"] == DATASET.hex()
    await home.happened("EphemeralKeyUsed")
    assert await home.get("/node/ba-epskc/key") == {"state": "stopped", "port": 0}
    again = await home.do("installer", "fetch", code=opened["tap"], address=place)
    assert again["verdict"]["rule"] == "nobody-listens", "the port is closed"


async def test_a_code_is_withdrawn_by_rest(home: Scene) -> None:
    code = (await home.do("br", "press"))["code"]
    assert (await home.rest.delete("/node/ba-epskc/key")).status_code == 200
    assert (await home.do("installer", "fetch", code=code))["verdict"]["rule"] == "no-code-active"


async def test_a_port_that_is_closed_says_so(home: Scene) -> None:
    place = home.router.endpoints["meshcop"]
    await home.do("br", "disable")
    refused = await home.do("installer", "petition", address=place, pskc=(DATASET.pskc or b"").hex())
    assert refused["verdict"]["rule"] == "nobody-listens"


# Joiners


async def test_a_joiner_is_let_in_over_udp_by_a_commissioner(home: Scene) -> None:
    await home.do("installer", "petition")
    await home.do("installer", "enable-joiner", joiner=EUI64.hex(), pskd=PSKD)
    entrusted = await home.join()
    assert isinstance(entrusted, JoinerEntrusted)
    assert Dataset.decode(entrusted.tlvs).network_key == DATASET.network_key
    assert (await home.happened("JoinerFinalized", "installer"))["accepted"]


async def test_a_joiner_is_let_in_over_udp_by_a_task_of_rest(home: Scene) -> None:
    path = await home.expect_joiner()
    assert isinstance(await home.join(), JoinerEntrusted)
    assert (await home.get(path))["data"]["attributes"]["status"] == "completed"
    await home.happened("CommissionerLost")
    assert await home.get("/node/commissioner/state") == "disabled"


@pytest.mark.parametrize("lie", [False, True])
async def test_the_built_in_commissioner_rejects_whom_it_is_to_reject(lie: bool) -> None:
    async with scene(provisioning_url=None if lie else "https://example.com/") as home:
        if lie:
            fault = home.live.install_fault(read_fault({"kind": "reject-joiners", "target": "br"}))
        path = await home.expect_joiner()
        refused = await home.join()
        assert isinstance(refused, JoiningFailed)
        assert isinstance(refused.error, PeerRejectedError)
        assert (await home.happened("JoinerFinalized"))["accepted"] is False
        assert (await home.get(path))["data"]["attributes"]["status"] == "failed"
        assert not lie or fault.fired == 1


# What passes by


async def test_datagrams_are_recorded_with_the_keys_that_open_them(home: Scene) -> None:
    await home.do("installer", "petition")
    await home.do("installer", "resign")
    host, port = home.router.endpoints["meshcop"].split(":")
    own = [host, int(port)]
    records = records_of(home.transcript.getvalue())
    frames = [each for each in records if isinstance(each, Frame) and own in (_place(each.source), _place(each.to))]
    assert {each.sender for each in frames} == {"br", "gateway"}
    assert frames[0].sender == "gateway"
    assert frames[0].payload[:3] == bytes.fromhex("16fefd")
    keys = [each.event["keys"] for each in records if isinstance(each, Happened) and "keys" in each.event]
    assert {each["master_secret"] for each in keys} == {keys[0]["master_secret"]}, "both ends tell the same"


def _place(address: Any) -> list[Any]:
    return list(address[:2])


async def test_wire_faults_act_on_what_comes_in_by_a_socket(home: Scene) -> None:
    fault = home.live.install_fault(read_fault({"kind": "duplicate", "target": "br", "medium": "lan"}))
    assert (await home.do("installer", "petition"))["outcome"] == "done"
    assert fault.fired > 3


async def test_a_port_that_is_taken_is_named() -> None:
    taken = bind_udp("127.0.0.1", 0, "the test")
    port = taken.getsockname()[1]
    spec = read_home({"accessory": [{"id": "br", "kind": "thread-border-router", "rest_port": 0, "joiner_port": port}]})
    live = LiveHome(spec, HomeOptions(seed=1))
    try:
        with pytest.raises(TransportUnavailableError, match=f"br: joiner: UDP port {port} on 127.0.0.1 is taken"):
            await live.start()
    finally:
        taken.close()
        await live.stop()
