"""Home Assistant's client library, unmodified, against our border router over a real socket: every public method.

What an older release of the library lacks is skipped by name.
"""

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import python_otbr_api
from python_otbr_api import OTBR, OTBRError
from python_otbr_api.models import ActiveDataSet, PendingDataSet, Timestamp

from devices.otbr import CURRENT, NO_LIES, PASCAL_CASE, WITHOUT_DATASETS, OtbrLies, OtbrProfile
from devices.transports.web import AsgiReceive, AsgiSend, Scope
from pairing.engine import MILLISECOND, SECOND
from pairing.thread.dataset import Dataset
from tests.support.otbr_node import RunningRouter, running_router, serving
from tests.support.thread_network import DATASET

SOURCE = Path(__file__).read_text()
pytestmark = [pytest.mark.asyncio, pytest.mark.interop]


MODERN = hasattr(python_otbr_api, "KeyFormat")
"""Older releases know PascalCase members only: they read and write datasets as JSON with old agents alone."""
SPOKEN = CURRENT if MODERN else PASCAL_CASE


def needs(*names: str) -> pytest.MarkDecorator:
    """Skip where this release of the library has no such method or error."""
    missing = [name for name in names if not hasattr(OTBR, name) and not hasattr(python_otbr_api, name)]
    return pytest.mark.skipif(bool(missing), reason=f"this python-otbr-api has no {', '.join(missing)}")


def error(name: str) -> type[Exception]:
    """An error class of the library, by name, since older releases lack some."""
    found: type[Exception] = getattr(python_otbr_api, name)
    return found


@asynccontextmanager
async def running(
    dataset: Dataset | None = None,
    *,
    profile: OtbrProfile = SPOKEN,
    lies: OtbrLies = NO_LIES,
    enabled: bool = False,
    patience: float = 10,
) -> AsyncIterator[tuple[RunningRouter, OTBR]]:
    """A border router and a client of it; with `enabled` it is leader already."""
    async with running_router(dataset, profile=profile, lies=lies) as router, aiohttp.ClientSession() as session:
        if enabled:
            router.node.perform(router.node.engine.network.enable)
            router.node.clock.advance(SECOND)
        yield router, OTBR(router.url, session, patience)  # type: ignore[arg-type]  # a part of a second works too


async def test_identity() -> None:
    async with running() as (router, client):
        network = router.node.engine.network
        assert await client.get_border_agent_id() == network.border_agent_id
        assert await client.get_extended_address() == network.ext_address
        assert await client.get_coprocessor_version() == network.config.coprocessor_version


async def test_border_agent_id_of_an_old_agent_is_not_supported() -> None:
    async with running(profile=WITHOUT_DATASETS) as (_, client):
        with pytest.raises(error("GetBorderAgentIdNotSupportedError")):
            await client.get_border_agent_id()


async def test_active_dataset_is_none_until_there_is_one() -> None:
    async with running() as (_, client):
        assert await client.get_active_dataset() is None
        assert await client.get_active_dataset_tlvs() is None


async def test_active_dataset_is_read_in_both_forms() -> None:
    async with running(DATASET) as (_, client):
        assert await client.get_active_dataset_tlvs() == DATASET.encode()
        dataset = await client.get_active_dataset()
        assert dataset is not None
        assert (dataset.network_name, dataset.channel, dataset.pan_id) == ("EmuTestNet", 15, 0xBEEF)
        assert dataset.active_timestamp == Timestamp(False, 1, 0)
        assert dataset.channel_mask == 134215680
        assert dataset.mesh_local_prefix == "fd11:2233:4455:6600::/64"
        assert dataset.security_policy is not None
        assert dataset.security_policy.rotation_time == 672


@pytest.mark.parametrize("profile", [CURRENT, PASCAL_CASE][not MODERN :], ids=["camelCase", "PascalCase"][not MODERN :])
async def test_active_dataset_is_created_from_a_part(profile: OtbrProfile) -> None:
    async with running(profile=profile) as (router, client):
        await client.create_active_dataset(ActiveDataSet(network_name="ha-thread-abcd", channel=15, pan_id=0xABCD))
        created = await client.get_active_dataset()
        assert created is not None
        assert (created.network_name, created.channel, created.pan_id) == ("ha-thread-abcd", 15, 0xABCD)
        assert created.network_key is not None
        active = router.node.engine.network.active_dataset
        assert active is not None
        assert active.is_complete


async def test_active_dataset_is_set_as_tlvs() -> None:
    async with running() as (router, client):
        await client.set_active_dataset_tlvs(DATASET.encode())
        active = router.node.engine.network.active_dataset
        assert active is not None
        assert active.without(0x4A).same_tlvs(DATASET)
        with pytest.raises(OTBRError, match="500"):
            await client.set_active_dataset_tlvs(DATASET.encode()[:-1])
        with pytest.raises(OTBRError, match="400"):
            await client.set_active_dataset_tlvs(bytes(300))


async def test_active_dataset_is_guarded_while_thread_is_enabled() -> None:
    async with running(DATASET, enabled=True) as (_, client):
        active = error("ThreadNetworkActiveError")
        with pytest.raises(active):
            await client.create_active_dataset(ActiveDataSet(channel=12))
        with pytest.raises(active):
            await client.set_active_dataset_tlvs(DATASET.encode())
        with pytest.raises(active):
            await client.delete_active_dataset()
        await client.set_enabled(False)
        await client.delete_active_dataset()
        assert await client.get_active_dataset_tlvs() is None


async def test_upstream_without_delete_is_an_error_of_the_library() -> None:
    async with running(DATASET, profile=OtbrProfile(dataset_delete=False)) as (_, client):
        with pytest.raises(OTBRError, match="404"):
            await client.delete_active_dataset()


async def test_enabling_leads_after_a_while() -> None:
    async with running(DATASET) as (router, client):
        await client.set_enabled(True)
        assert str(router.node.engine.network.role) == "detached"
        router.node.clock.advance(SECOND)
        assert str(router.node.engine.network.role) == "leader"
        await client.set_enabled(False)
        assert str(router.node.engine.network.role) == "disabled"


async def test_factory_reset_gives_new_ids() -> None:
    async with running(DATASET, enabled=True) as (_, client):
        before = await client.get_border_agent_id(), await client.get_extended_address()
        await client.factory_reset()
        after = await client.get_border_agent_id(), await client.get_extended_address()
        assert before[0] != after[0]
        assert before[1] != after[1]
        assert await client.get_active_dataset() is None


async def test_factory_reset_of_an_old_agent_is_not_supported() -> None:
    async with running(profile=WITHOUT_DATASETS) as (_, client):
        with pytest.raises(error("FactoryResetNotSupportedError")):
            await client.factory_reset()


async def test_a_channel_change_takes_effect_when_its_delay_ends() -> None:
    async with running(DATASET, enabled=True) as (router, client):
        await client.set_channel(20)
        pending = await client.get_pending_dataset_tlvs()
        assert pending is not None
        assert Dataset.decode(pending).network_key == DATASET.network_key
        router.node.clock.advance(301 * SECOND)
        assert await client.get_pending_dataset_tlvs() is None
        changed = await client.get_active_dataset()
        assert changed is not None
        assert (changed.channel, changed.network_name) == (20, "EmuTestNet")
        assert changed.active_timestamp == Timestamp(False, 2, 0)


async def test_channels_that_do_not_exist_and_missing_datasets_are_errors() -> None:
    async with running() as (_, client):
        with pytest.raises(OTBRError, match="channel"):
            await client.set_channel(27)
        with pytest.raises(OTBRError, match="no active dataset"):
            await client.set_channel(20)


async def test_pending_dataset_is_created_read_and_deleted() -> None:
    async with running(DATASET, enabled=True) as (_, client):
        assert await client.get_pending_dataset_tlvs() is None
        await client.create_pending_dataset(PendingDataSet(ActiveDataSet(channel=21), 60_000, Timestamp(False, 3, 0)))
        stored = await client.get_pending_dataset_tlvs()
        assert stored is not None
        pending = Dataset.decode(stored)
        assert pending.channel is not None
        assert pending.channel.channel == 21
        assert pending.pending_timestamp is not None
        assert pending.pending_timestamp.seconds == 3
        await client.delete_pending_dataset()
        assert await client.get_pending_dataset_tlvs() is None


@needs("set_pending_dataset_tlvs")
async def test_pending_dataset_is_set_as_tlvs() -> None:
    async with running(DATASET, enabled=True) as (router, client):
        delay = Dataset.of(delay_timer_ms=30_000)
        await client.set_pending_dataset_tlvs(DATASET.with_tlvs(delay).encode())
        router.node.clock.advance(30 * SECOND)
        assert [type(event).__name__ for event in router.node.journal.events[-2:]] == ["DatasetChanged"] * 2
        with pytest.raises(OTBRError, match="500"):
            await client.set_pending_dataset_tlvs(b"\x00\x03\x00")


@needs("PendingDatasetConflictError")
async def test_a_second_pending_dataset_is_a_conflict() -> None:
    async with running(DATASET, enabled=True) as (_, client):
        await client.set_channel(20)
        conflict = error("PendingDatasetConflictError")
        with pytest.raises(conflict):
            await client.set_channel(21)
        with pytest.raises(conflict):
            await client.create_pending_dataset(PendingDataSet(ActiveDataSet(channel=21), 60_000))
        with pytest.raises(conflict):
            await client.set_pending_dataset_tlvs(DATASET.encode())


@needs("PendingDatasetConflictError")
async def test_a_pending_dataset_that_comes_between_the_look_and_the_write_is_a_conflict() -> None:
    async with running(DATASET, enabled=True) as (router, _):
        network = router.node.engine.network

        async def interfering(scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
            """Another client writes right after this one has seen that there is nothing."""
            await router.app(scope, receive, send)
            if (scope["method"], scope["path"]) == ("GET", "/node/dataset/pending"):
                router.node.perform(lambda now: network.set_pending_dataset(DATASET, now))

        async with serving(interfering) as port, aiohttp.ClientSession() as session:
            with pytest.raises(error("PendingDatasetConflictError")):
                await OTBR(f"http://127.0.0.1:{port}", session).set_channel(20)
        assert [status for method, *_, status, _ in router.node.journal.requests if method == "PUT"] == [412]


@needs("PendingDatasetRejectedError")
@pytest.mark.parametrize(
    ("lie", "expected", "reason"),
    [
        ("pending-rejected-by-leader", "PendingDatasetRejectedError", "rejected by leader"),
        ("pending-busy", "PendingDatasetRejectedError", ""),
        ("pending-not-attached", "PendingDatasetOutcomeUnknownError", None),
        ("pending-no-answer", "PendingDatasetOutcomeUnknownError", None),
    ],
)
async def test_refusals_of_newer_agents_are_told_apart(lie: str, expected: str, reason: str | None) -> None:
    async with running(DATASET, enabled=True, lies=OtbrLies(pending=lie)) as (router, client):
        with pytest.raises(error(expected)) as caught:
            await client.set_channel(20)
        assert getattr(caught.value, "reason", None) == reason
        assert [name for name, _ in router.node.journal.lies] == [lie]
        router.app.lies = NO_LIES
        await client.set_channel(20)


@needs("activate_ephemeral_key")
async def test_ephemeral_key_is_opened_once_and_closed() -> None:
    async with running() as (router, client):
        opened = await client.activate_ephemeral_key(lifetime=30_000)
        assert len(opened.tap) == 9
        status = await client.get_ephemeral_key_status()
        assert (status.state.value, status.port) == ("started", opened.port)
        with pytest.raises(error("EphemeralKeyConflictError")):
            await client.activate_ephemeral_key()
        await client.deactivate_ephemeral_key()
        assert (await client.get_ephemeral_key_status()).state.value == "stopped"
        await client.activate_ephemeral_key(port=50_123)
        router.node.clock.advance(120 * SECOND)
        status = await client.get_ephemeral_key_status()
        assert (status.state.value, status.port) == ("stopped", 0)


@needs("activate_ephemeral_key")
async def test_ephemeral_key_parameters_out_of_range_are_errors() -> None:
    async with running() as (_, client):
        with pytest.raises(OTBRError, match="400"):
            await client.activate_ephemeral_key(lifetime=600_001)
        with pytest.raises(OTBRError, match="400"):
            await client.activate_ephemeral_key(port=70_000)


@needs("set_ephemeral_key_enabled")
async def test_ephemeral_key_feature_is_switched() -> None:
    async with running() as (_, client):
        assert await client.get_ephemeral_key_enabled() is True
        await client.set_ephemeral_key_enabled(False)
        assert await client.get_ephemeral_key_enabled() is False
        assert (await client.get_ephemeral_key_status()).state.value == "disabled"
        with pytest.raises(error("EphemeralKeyConflictError")):
            await client.activate_ephemeral_key()
        await client.set_ephemeral_key_enabled(True)
        assert (await client.get_ephemeral_key_status()).state.value == "stopped"


@needs("EphemeralKeyNotSupportedError")
async def test_ephemeral_key_of_an_old_agent_is_not_supported() -> None:
    async with running(profile=PASCAL_CASE) as (_, client):
        unsupported = error("EphemeralKeyNotSupportedError")
        with pytest.raises(unsupported):
            await client.get_ephemeral_key_enabled()
        with pytest.raises(unsupported):
            await client.set_ephemeral_key_enabled(True)
        with pytest.raises(unsupported):
            await client.get_ephemeral_key_status()
        with pytest.raises(unsupported):
            await client.activate_ephemeral_key()
        with pytest.raises(unsupported):
            await client.deactivate_ephemeral_key()


@needs("get_api_version")
async def test_api_version_is_what_the_discovery_document_says() -> None:
    async with running() as (_, client):
        assert await client.get_api_version() == "0.5.0"
    async with running(profile=PASCAL_CASE) as (_, client):
        assert await client.get_api_version() is None


@pytest.mark.parametrize("name", ["get_border_agent_id", "get_active_dataset", "get_extended_address"])
async def test_truncated_json_is_an_error_of_the_library(name: str) -> None:
    async with running(DATASET) as (router, client):
        router.app.lies = OtbrLies(truncated_json=True)
        with pytest.raises(OTBRError):
            await getattr(client, name)()


async def test_start_up_408_is_an_error_of_the_library_and_then_gone() -> None:
    async with running(DATASET, lies=OtbrLies(start_up_408=1)) as (_, client):
        with pytest.raises(OTBRError, match="408"):
            await client.get_border_agent_id()
        assert await client.get_border_agent_id()


async def test_old_agent_lie_hides_the_dataset() -> None:
    async with running(DATASET, lies=OtbrLies(old_agent=True)) as (_, client):
        with pytest.raises(OTBRError, match="404"):
            await client.get_active_dataset_tlvs()


async def test_a_slow_answer_is_a_timeout_of_the_library() -> None:
    async with running(DATASET, patience=0.05, lies=OtbrLies(slow_answer=600 * SECOND)) as (_, client):
        with pytest.raises(TimeoutError):
            await client.get_border_agent_id()


async def test_an_answer_that_is_a_little_slow_is_an_answer() -> None:
    async with running(DATASET, lies=OtbrLies(slow_answer=5 * MILLISECOND)) as (router, client):
        assert await client.get_border_agent_id() == router.node.engine.network.border_agent_id
        assert {name for name, _ in router.node.journal.lies} == {"slow-answer"}


async def test_home_assistants_set_up_creates_a_network_and_leads_it() -> None:
    async with running() as (router, client):
        assert await client.get_active_dataset_tlvs() is None
        await client.set_enabled(False)
        await client.factory_reset()
        await client.create_active_dataset(ActiveDataSet(channel=15, network_name="ha-thread-1234", pan_id=0x1234))
        await client.set_enabled(True)
        tlvs = await client.get_active_dataset_tlvs()
        assert tlvs is not None
        assert Dataset.decode(tlvs).network_name == "ha-thread-1234"
        router.node.clock.advance(SECOND)
        assert router.node.engine.network.attached


async def test_this_file_calls_every_public_method() -> None:
    methods = [name for name, _ in inspect.getmembers(OTBR, inspect.isfunction) if not name.startswith("_")]
    assert [name for name in methods if f"client.{name}(" not in SOURCE] == []
