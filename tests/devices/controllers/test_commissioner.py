"""A home's commissioner against our Border Agent behind a real socket: verbs, verdicts, and what it leaves behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from devices.controllers.commissioner import HomeCommissioner
from devices.errors import ActionRefusedError, UsageError
from devices.home.live import HomeOptions, LiveHome
from devices.spec import read_home
from pairing.dtls.events import ConnectionClosed, LieTold
from pairing.dtls.settings import DtlsLies, DtlsSettings
from pairing.engine import SECOND
from pairing.thread.border_agent import BorderAgentSettings
from pairing.thread.dataset import Dataset, Timestamp
from pairing.thread.leader import LeaderLies
from pairing.thread.network_events import CommissionerLost, PetitionAccepted
from tests.support.meshcop import PSKC, leading_network
from tests.support.meshcop_wire import last, only
from tests.support.thread_network import DATASET
from tests.support.udp_border_agent import border_agent

KEY = PSKC.hex()


@asynccontextmanager
async def commissioner(address: str, **keys: Any) -> AsyncIterator[tuple[HomeCommissioner, LiveHome]]:
    """A commissioner in a home of its own."""
    table = {"id": "phone", "address": address, "pskc": KEY, "patience": "2s", **keys}
    live = LiveHome(read_home({"commissioner": [table]}), HomeOptions(seed=1, free_ports=True))
    await live.start()
    try:
        yield live.commissioner("phone"), live
    finally:
        await live.stop()


def types(live: LiveHome) -> list[str]:
    return [each.type for each in live.log.since()]


@pytest.mark.asyncio
async def test_a_session_from_petition_to_resignation() -> None:
    async with border_agent() as (agent, address), commissioner(address) as (phone, live):
        assert phone.state == "idle"
        accepted = await phone.do("petition")
        assert accepted["outcome"] == "done"
        assert accepted["value"]["commissioner_id"] == "phone"
        assert phone.state == "active"
        active = await phone.do("get")
        assert active["value"]["dataset"] == DATASET.hex()
        changed = await phone.do("set", {"fields": {"network_name": "Renamed"}})
        assert changed["outcome"] == "done"
        assert agent.network.network_name == "Renamed"
        later = {"network_name": "Later", "channel": 20, "delay_timer_ms": 60_000}
        assert (await phone.do("set", {"kind": "pending", "fields": later}))["outcome"] == "done"
        pending = Dataset.from_hex((await phone.do("get", {"kind": "pending"}))["value"]["dataset"])
        assert (pending.network_name, pending.channel and pending.channel.channel) == ("Later", 20)
        enabled = await phone.do("enable-joiner", {"joiner": "18b4300000000002", "pskd": "J01NME"})
        assert enabled["value"] == {"joiner": "18b4300000000002", "lifetime": "2m"}
        told = (await phone.do("get", {"kind": "commissioner"}))["value"]
        assert (told["session_id"], told["joiner_udp_port"]) == (accepted["value"]["session_id"], 1000)
        assert len(bytes.fromhex(told["steering_data"])) == 16
        assert phone.facts["joiners"] == [{"joiner": "18b4300000000002", "progress": "undiscovered"}]
        assert (await phone.do("resign"))["outcome"] == "done"
        assert phone.state == "idle"
        await agent.happened(ConnectionClosed)
        assert agent.network.commissioning.active is None
        assert agent.driver.engine.sessions == ()
        assert {"PetitionAccepted", "DatasetReceived", "SetAnswered", "JoinerEnabled"} <= set(types(live))
        assert "J01NME" not in str([each.as_json() for each in live.log.since()])


@pytest.mark.asyncio
async def test_a_dataset_can_be_read_without_a_petition() -> None:
    async with border_agent() as (agent, address), commissioner(address) as (phone, _):
        assert (await phone.do("get"))["value"]["network_name"] == DATASET.network_name
        assert only(agent.events, PetitionAccepted) == []
        with pytest.raises(ActionRefusedError, match="petition"):
            await phone.do("set", {"fields": {"network_name": "X"}})
        with pytest.raises(ActionRefusedError, match="petition"):
            await phone.do("get", {"kind": "commissioner"})


@pytest.mark.asyncio
async def test_a_passphrase_makes_the_pskc_with_name_and_extended_pan_id() -> None:
    keys = {"pskc": "", "passphrase": "12SECRETPASSWORD34", "network_name": "Test Network"}
    keys["ext_pan_id"] = "0001020304050607"
    known = DATASET.with_tlvs(Dataset.of(pskc=bytes.fromhex("c3f59368445a1b6106be420a706d4cc9")))
    async with (
        border_agent(leading_network(dataset=known)) as (_, address),
        commissioner(address, **keys) as (phone, _),
    ):
        assert (await phone.do("petition"))["outcome"] == "done"


@pytest.mark.asyncio
async def test_a_wrong_pskc_is_told_from_silence_and_from_a_closed_port() -> None:
    async with border_agent() as (_, address), commissioner(address) as (phone, _):
        wrong = (await phone.do("petition", {"pskc": "0f" * 16}))["verdict"]
        assert (wrong["rule"], wrong["came"]) == ("wrong-pskc", "another PSKc, or another network")
        assert phone.state == "idle"
        assert (await phone.do("petition"))["outcome"] == "done"
    async with commissioner(address, patience="200ms") as (phone, _):
        closed = (await phone.do("petition"))["verdict"]
        assert closed["rule"] == "nobody-listens"
        assert "browse _meshcop._udp" in closed["hint"]


@pytest.mark.asyncio
async def test_silence_on_a_wrong_key_is_recognised() -> None:
    settings = BorderAgentSettings(dtls=DtlsSettings(lies=DtlsLies(silent_on_wrong_key=True)))
    async with (
        border_agent(settings=settings) as (_, address),
        commissioner(address, pskc="0f" * 16, patience="400ms") as (phone, _),
    ):
        verdict = (await phone.do("petition"))["verdict"]
        assert (verdict["rule"], "wrong PSKc" in verdict["hint"]) == ("silence-after-proof", True)


@pytest.mark.asyncio
async def test_the_holder_is_named_where_another_commissioner_is_active() -> None:
    async with (
        border_agent() as (agent, address),
        commissioner(address, commissioner_id="Alpha") as (alpha, _),
        commissioner(address, commissioner_id="Beta") as (beta, _),
    ):
        await alpha.do("petition")
        verdict = (await beta.do("petition"))["verdict"]
        assert (verdict["rule"], verdict["came"]) == ("commissioner-active", "'Alpha' is active")
        assert beta.state == "connected"
        await alpha.do("resign")
        assert (await beta.do("petition"))["outcome"] == "done"
        assert last(agent.events, CommissionerLost).reason == "resigned"


@pytest.mark.asyncio
async def test_a_refused_set_names_the_rule() -> None:
    async with border_agent() as (_, address), commissioner(address) as (phone, _):
        await phone.do("petition")
        channel = (await phone.do("set", {"fields": {"channel": 20}}))["verdict"]
        assert (channel["rule"], "Pending" in channel["hint"]) == ("affects-connectivity", True)
        old = Dataset.of(active_timestamp=Timestamp(1), network_name="Old").hex()
        verdict = (await phone.do("set", {"dataset": old}))["verdict"]
        assert verdict["rule"] == "active-timestamp-not-newer"
        assert verdict["expected"] == "ActiveTimestamp newer than seconds 1, ticks 0, not authoritative"
        assert verdict["came"].startswith("seconds 1, ticks 0, not authoritative")
        assert (await phone.do("set", {"fields": {"network_name": "New"}}))["outcome"] == "done"


@pytest.mark.asyncio
async def test_a_refusal_without_a_rule_says_so_and_a_stolen_session_is_found_out() -> None:
    settings = BorderAgentSettings(leader_lies=LeaderLies(refuse_pending=True))
    async with border_agent(settings=settings) as (agent, address), commissioner(address) as (phone, live):
        await phone.do("petition")
        pending = {"kind": "pending", "fields": {"channel": 20}}
        assert (await phone.do("set", pending))["verdict"]["rule"] == "state-reject"
        agent.driver.do(lambda engine, now: engine.steal_session(now))
        assert (await phone.do("set", {"fields": {"network_name": "New"}}))["verdict"]["rule"] == "session-superseded"
        assert phone.state == "connected"
        assert live.log.since()[-1].type == "CommissionerLost"


@pytest.mark.asyncio
async def test_two_who_want_a_connection_share_one() -> None:
    async with border_agent() as (agent, address), commissioner(address) as (phone, live):
        read = await asyncio.gather(*(phone.do("get", {"kind": kind}) for kind in ("active", "pending", "active")))
        assert [each["outcome"] for each in read] == ["done"] * 3
        assert len(agent.driver.engine.sessions) == 1
        assert types(live).count("HandshakeCompleted") == 1


@pytest.mark.asyncio
async def test_who_waits_when_power_goes_gets_an_answer() -> None:
    settings = BorderAgentSettings(dtls=DtlsSettings(lies=DtlsLies(ignore_hello=True)))
    async with border_agent(settings=settings) as (agent, address), commissioner(address) as (phone, _):
        is_heard = asyncio.Event()
        agent.when[LieTold] = is_heard.set
        waiting = asyncio.ensure_future(phone.do("petition"))
        await is_heard.wait()
        await phone.do("power-off")
        assert (await waiting)["verdict"]["rule"] == "given-up"


@pytest.mark.asyncio
async def test_a_code_is_worth_the_datasets_once() -> None:
    async with border_agent() as (agent, address), commissioner(address) as (phone, live):
        code, place = await agent.share(120 * SECOND)
        fetched = await phone.do("fetch", {"code": code, "address": place})
        assert fetched["value"]["dataset"] == DATASET.hex()
        assert code not in str([each.as_json() for each in live.log.since()])


@pytest.mark.asyncio
async def test_a_wrong_code_is_a_verdict() -> None:
    async with border_agent() as (agent, address), commissioner(address) as (phone, _):
        _, place = await agent.share(120 * SECOND)
        verdict = (await phone.do("fetch", {"code": "123456789", "address": place}))["verdict"]
        assert (verdict["rule"], "ten attempts" in verdict["hint"]) == ("wrong-code", True)


@pytest.mark.asyncio
async def test_what_stops_resigns_and_what_loses_power_does_not() -> None:
    async with border_agent() as (agent, address):
        async with commissioner(address) as (phone, _):
            await phone.do("petition")
            await phone.do("power-off")
            assert phone.state == "off"
            with pytest.raises(ActionRefusedError, match="switched off"):
                await phone.do("get")
            await phone.do("power-on")
            assert agent.network.commissioning.active is not None
            await phone.do("petition")  # under the same id: it takes over
        await agent.happened(CommissionerLost, 2)
        assert [each.reason for each in only(agent.events, CommissionerLost)] == ["superseded", "resigned"]
        assert agent.network.commissioning.active is None


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("petition", {"address": "nowhere"}, "HOST:PORT"),
        ("petition", {"pskc": "xyz"}, "32 hex digits"),
        ("petition", {"pskc": "00" * 16}, "all zeros"),
        ("petition", {"passphrase": "secret phrase"}, "network_name and ext_pan_id"),
        ("petition", {"target": "br"}, "no Thread border router 'br'"),
        ("petition", {"address": "127.0.0.1:1"}, "which key"),
        ("fetch", {"code": "12", "address": "127.0.0.1:1"}, "nine digits"),
        ("petition", {"address": "no.such.host.invalid:1", "pskc": "0f" * 16}, "no such host"),
    ],
)
async def test_wrong_usage_says_what_is_right(verb: str, arguments: dict[str, Any], said: str) -> None:
    async with commissioner("127.0.0.1:9") as (phone, _):
        with pytest.raises(UsageError, match=said):
            await phone.do(verb, arguments)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("set", {}, "give dataset"),
        ("set", {"dataset": "0e"}, "dataset: "),
        ("set", {"fields": {"colour": "red"}}, "no such field"),
        ("enable-joiner", {"joiner": "zz", "pskd": "J01NME"}, "16 hex digits"),
        ("enable-joiner", {"joiner": "any"}, "PSKd"),
        ("enable-joiner", {"joiner": "any", "pskd": "IO"}, "PSKd has 6 to 32"),
        ("enable-joiner", {"qr": "v=1"}, "label reads"),
    ],
)
async def test_wrong_arguments_of_an_active_one_say_what_is_right(
    verb: str, arguments: dict[str, Any], said: str
) -> None:
    async with border_agent() as (_, address), commissioner(address) as (phone, _):
        await phone.do("petition")
        with pytest.raises(UsageError, match=said):
            await phone.do(verb, arguments)
        assert phone.state == "active"
