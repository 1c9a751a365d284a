"""Tasks of `/api/actions`: their life, who may run at once, and what they do to the network."""

import json
from typing import Any

import pytest

from devices.otbr.actions import ACTION_TABLE, ActionStatus
from devices.otbr.task import DIAGNOSTIC_NAMES
from pairing.engine import SECOND
from pairing.thread.commissioning import CommissionerState
from pairing.thread.diagnostics import ThreadChild
from pairing.thread.joiner_table import JoinerId
from tests.support.otbr_node import LEADER_TIME, Client, SteppedNode
from tests.support.thread_network import DATASET

JSON_API = "application/vnd.api+json"
EUI = "0011223344556677"
CHILD = ThreadChild(ext_address=bytes.fromhex("0a0b0c0d0e0f1011"), mesh_local_iid=bytes.fromhex("2122232425262728"))
SCAN = {"channelMask": [12, 11, 12], "count": 3, "period": 100, "scanDuration": 50, "timeout": 30}


class Tasks:
    """Posts tasks to a leader and looks at them."""

    def __init__(self, *, attached: bool = True) -> None:
        self.node = SteppedNode(DATASET)
        self.client = Client(self.node)
        self.network = self.node.engine.network
        if attached:
            self.node.perform(self.network.enable)
            self.node.advance(LEADER_TIME)
        self.own = self.network.ext_address.hex()

    def post(self, kind: str, **attributes: object) -> str:
        """The new task's id."""
        body = json.dumps({"data": [{"type": kind, "attributes": attributes}]})
        answer = self.client.ask("POST", "/api/actions", body, content_type=JSON_API)
        assert answer.status == 200
        return str(json.loads(answer.body)["data"][0]["id"])

    def get(self, task_id: str) -> dict[str, Any]:
        """The task's resource object."""
        answer = self.client.ask("GET", f"/api/actions/{task_id}", accept=JSON_API)
        found: dict[str, Any] = json.loads(answer.body)["data"]
        return found

    def status(self, task_id: str) -> str:
        """The task's status word."""
        return str(self.get(task_id)["attributes"]["status"])

    def result(self, task_id: str) -> dict[str, Any]:
        """Attributes of the diagnostic that the task points to."""
        result_id = self.get(task_id)["relationships"]["result"]["data"]["id"]
        answer = self.client.ask("GET", f"/api/diagnostics/{result_id}", accept="application/json")
        found: dict[str, Any] = json.loads(answer.body)
        return found


def test_final_states_have_no_move() -> None:
    assert {status for status, _ in ACTION_TABLE} == {ActionStatus.PENDING, ActionStatus.ACTIVE}


def test_a_diagnostic_goes_from_pending_to_completed_and_its_timeout_disappears() -> None:
    tasks = Tasks()
    body = json.dumps(
        {
            "data": [
                {
                    "type": "getNetworkDiagnosticTask",
                    "attributes": {"destination": tasks.own, "types": ["vendorName", "rloc16"], "timeout": 20},
                }
            ]
        }
    )
    posted = json.loads(tasks.client.ask("POST", "/api/actions", body, content_type=JSON_API).body)["data"][0]
    assert posted["attributes"] == {
        "destination": tasks.own,
        "destinationType": "extended",
        "types": ["rloc16", "vendorName"],
        "timeout": 20,
        "status": "pending",
    }
    assert tasks.status(posted["id"]) == "active"
    tasks.node.advance(SECOND)
    done = tasks.get(posted["id"])["attributes"]
    assert (done["status"], "timeout" in done) == ("completed", False)
    result = tasks.result(posted["id"])
    assert result["rloc16"] == f"0x{tasks.network.rloc16:04x}"
    assert {"brCounters", "isLeader", "hostsService", "isPrimaryBBR", "isBorderRouter"} <= result.keys()


def test_every_diagnostic_type_is_answered_or_left_out() -> None:
    tasks = Tasks()
    tasks.node.perform(lambda now: tasks.network.attach_child(CHILD, now))
    kinds = list(DIAGNOSTIC_NAMES)
    task = tasks.post("getNetworkDiagnosticTask", destination=tasks.own, types=kinds, timeout=20)
    tasks.node.advance(SECOND)
    result = tasks.result(task)
    assert len(kinds) == 27
    missing = {"timeout", "batteryLevel", "supplyVoltage", "lDevIdSubject", "iDevIdCert"}
    assert set(kinds) - result.keys() == missing
    assert result["childTable"][0]["childId"] == 1
    assert result["children"][0]["extAddress"] == "0a0b0c0d0e0f1011"
    assert result["mleCounters"]["leaderRoleCount"] == 1
    assert tasks.get(task)["attributes"]["types"] == kinds


@pytest.mark.parametrize("kind", ["extended", "mleid", "rloc"])
def test_a_child_is_asked_by_any_of_its_addresses(kind: str) -> None:
    tasks = Tasks()
    tasks.node.perform(lambda now: tasks.network.attach_child(CHILD, now))
    tasks.post("updateDeviceCollectionTask", maxAge=1, maxRetries=1, deviceCount=2, timeout=9)
    tasks.node.advance(SECOND)
    address = {
        "extended": CHILD.ext_address.hex(),
        "mleid": CHILD.mesh_local_iid.hex(),
        "rloc": f"0x{tasks.network.rloc16 + 1:04x}",
    }[kind]
    task = tasks.post(
        "getNetworkDiagnosticTask", destination=address, destinationType=kind, types=["rloc16", "route"], timeout=9
    )
    tasks.node.advance(SECOND)
    assert tasks.result(task) == {"rloc16": f"0x{tasks.network.rloc16 + 1:04x}"}


def test_one_diagnostic_at_a_time() -> None:
    tasks = Tasks()
    first = tasks.post("getNetworkDiagnosticTask", destination=tasks.own, types=[], timeout=20)
    second = tasks.post("updateDeviceCollectionTask", maxAge=1, maxRetries=0, deviceCount=1, timeout=20)
    assert (tasks.status(first), tasks.status(second)) == ("active", "pending")
    tasks.node.advance(SECOND)
    assert (tasks.status(first), tasks.status(second)) == ("completed", "completed")


def test_an_unknown_destination_stays_pending_until_it_is_stopped() -> None:
    tasks = Tasks()
    task = tasks.post("getNetworkDiagnosticTask", destination="f" * 16, types=["rloc16"], timeout=3)
    tasks.node.advance(2 * SECOND - 1)
    shown = tasks.get(task)["attributes"]
    assert (shown["status"], shown["timeout"]) == ("pending", 1)
    tasks.node.advance(SECOND + 1)
    shown = tasks.get(task)["attributes"]
    assert (shown["status"], "timeout" in shown) == ("stopped", False)


def test_a_rloc_that_nobody_has_is_asked_in_vain() -> None:
    tasks = Tasks()
    task = tasks.post("getNetworkDiagnosticTask", destination="0x1234", types=["rloc16"], timeout=3)
    assert tasks.status(task) == "active"
    tasks.node.advance(3 * SECOND)
    assert tasks.status(task) == "stopped"


def test_an_energy_scan_borrows_the_commissioner_and_reports_each_channel_once() -> None:
    tasks = Tasks()
    task = tasks.post("getEnergyScanTask", destination=tasks.own, **SCAN)
    shown = tasks.get(task)["attributes"]
    assert shown["channelMask"] == [11, 12]
    assert "destinationType" not in shown
    assert str(tasks.network.commissioning.state) == "petitioning"
    tasks.node.advance(SECOND)
    assert tasks.status(task) == "completed"
    result = tasks.result(task)
    assert result["origin"] == tasks.network.identity.mesh_local_iid.hex()
    assert [(entry["channel"], len(entry["maxRssi"])) for entry in result["report"]] == [(11, 3), (12, 3)]
    assert all(-100 < rssi < 0 for entry in result["report"] for rssi in entry["maxRssi"])
    assert str(tasks.network.commissioning.state) == "disabled"
    assert tasks.node.engine.actions.deadline is None


def test_an_energy_scan_of_no_channels_waits_until_it_is_stopped() -> None:
    tasks = Tasks()
    task = tasks.post("getEnergyScanTask", **{**SCAN, "destination": tasks.own, "channelMask": [], "timeout": 2})
    tasks.node.advance(2 * SECOND)
    assert tasks.status(task) == "stopped"


def test_an_energy_scan_by_rloc_names_the_kind_of_its_destination() -> None:
    tasks = Tasks()
    task = tasks.post("getEnergyScanTask", destination=f"0x{tasks.network.rloc16:04x}", **SCAN)
    tasks.node.advance(SECOND)
    assert tasks.get(task)["attributes"]["destinationType"] == "rloc"
    assert tasks.result(task)["origin"] == f"000000fffe00{tasks.network.rloc16:04x}"


def test_adding_a_device_starts_the_commissioner_and_stops_it_afterwards() -> None:
    tasks = Tasks()
    task = tasks.post("addThreadDeviceTask", eui=EUI, pskd="J01NME", timeout=10)
    assert tasks.status(task) == "undiscovered"
    tasks.node.advance(SECOND)
    (entry,) = tasks.network.commissioning.joiners
    assert (str(entry.joiner), entry.pskd, entry.expires_at) == (EUI, "J01NME", LEADER_TIME + 10 * SECOND)
    tasks.node.advance(10 * SECOND)
    assert tasks.get(task)["attributes"] == {
        "eui": EUI,
        "pskd": "J01NME",
        "status": "stopped",
        "created": "2026-01-01T00:00:08+00:00",
    }
    assert tasks.network.commissioning.joiners == ()
    assert str(tasks.network.commissioning.state) == "disabled"


def test_a_joiner_is_attempted_then_completed() -> None:
    tasks = Tasks()
    task = tasks.post("addThreadDeviceTask", eui=EUI, pskd="J01NME")
    tasks.node.advance(SECOND)
    joiner = JoinerId(eui64=bytes.fromhex(EUI))
    tasks.node.perform(lambda now: tasks.network.commissioning.joiner_connected(joiner, now))
    assert tasks.status(task) == "attempted"
    tasks.node.perform(lambda now: tasks.network.commissioning.joiner_finalized(joiner, now))
    tasks.node.advance(0)
    assert tasks.status(task) == "completed"
    assert str(tasks.network.commissioning.state) == "disabled"


def test_a_rejected_joiner_fails_its_task() -> None:
    tasks = Tasks()
    task = tasks.post("addThreadDeviceTask", discerner="0xabc/12", pskd="J01NME")
    tasks.node.advance(SECOND)
    joiner = JoinerId(discerner=0xABC, discerner_bits=12)
    tasks.node.perform(lambda now: tasks.network.commissioning.joiner_finalized(joiner, now, accepted=False))
    assert tasks.status(task) == "failed"
    assert tasks.get(task)["attributes"]["discerner"] == "0xabc/12"


def test_a_second_task_for_the_same_joiner_waits() -> None:
    tasks = Tasks()
    first = tasks.post("addThreadDeviceTask", eui=EUI, pskd="J01NME", timeout=5)
    second = tasks.post("addThreadDeviceTask", eui=EUI, pskd="J01NME", timeout=60)
    assert (tasks.status(first), tasks.status(second)) == ("undiscovered", "pending")
    tasks.node.advance(5 * SECOND)
    assert (tasks.status(first), tasks.status(second)) == ("stopped", "undiscovered")
    assert len(tasks.network.commissioning.joiners) == 1


@pytest.mark.parametrize("joiner", ["*", "xyz", "0x/1"])
def test_a_task_for_anybody_or_nobody_waits(joiner: str) -> None:
    tasks = Tasks()
    task = tasks.post("addThreadDeviceTask", joinerId=joiner, pskd="J01NME", timeout=5)
    shown = tasks.get(task)["attributes"]
    assert (shown["joinerId"], shown["status"]) == ("*", "pending")
    tasks.node.advance(5 * SECOND)
    assert tasks.status(task) == "stopped"


def test_deleting_a_running_task_takes_its_joiner_out_and_stops_the_commissioner() -> None:
    tasks = Tasks()
    task = tasks.post("addThreadDeviceTask", eui=EUI, pskd="J01NME")
    tasks.node.advance(SECOND)
    assert tasks.client.ask("DELETE", f"/api/actions/{task}").status == 204
    assert tasks.network.commissioning.joiners == ()
    assert tasks.network.commissioning.state is CommissionerState.DISABLED
    assert tasks.node.journal.names[-2:] == ["JoinerRemoved", "CommissionerLost"]


def test_a_commissioner_that_the_user_started_goes_on_running() -> None:
    tasks = Tasks()
    tasks.client.ask("PUT", "/node/commissioner/state", '"enable"')
    tasks.node.advance(SECOND)
    task = tasks.post("addThreadDeviceTask", eui=EUI, pskd="J01NME")
    assert [str(entry.joiner) for entry in tasks.network.commissioning.joiners] == [EUI]
    tasks.client.ask("DELETE", f"/api/actions/{task}")
    assert str(tasks.network.commissioning.state) == "active"


def test_a_factory_reset_does_not_lock_the_commissioner() -> None:
    tasks = Tasks()
    task = tasks.post("addThreadDeviceTask", eui=EUI, pskd="J01NME", timeout=60)
    tasks.node.advance(SECOND)
    tasks.client.ask("DELETE", "/node")
    tasks.client.ask("PUT", "/node/dataset/active", DATASET.hex(), content_type="text/plain")
    tasks.client.ask("PUT", "/node/state", '"enable"')
    tasks.node.advance(10 * SECOND)
    assert tasks.status(task) == "undiscovered"
    assert [str(entry.joiner) for entry in tasks.network.commissioning.joiners] == [EUI]


def test_tasks_wait_for_another_commissioner_to_go() -> None:
    tasks = Tasks()
    tasks.node.perform(lambda now: tasks.network.petition("phone", now))
    task = tasks.post("addThreadDeviceTask", eui=EUI, pskd="J01NME", timeout=90)
    tasks.node.advance(40 * SECOND)
    assert tasks.network.commissioning.joiners == ()
    assert tasks.node.journal.names.count("PetitionRejected") <= 41, "it asks once a second, not all the time"
    tasks.node.advance(12 * SECOND)
    assert tasks.status(task) == "undiscovered"
    assert len(tasks.network.commissioning.joiners) == 1


def test_counters_are_reset_here_or_everywhere() -> None:
    tasks = Tasks()
    done = tasks.post("resetNetworkDiagCounterTask", types=["mleCounters", "macCounters"], timeout=5)
    assert tasks.status(done) == "completed"
    assert tasks.network.mle_counters.leader_role == 0
    assert "destination" not in tasks.get(done)["attributes"]
    there = tasks.post("resetNetworkDiagCounterTask", types=["macCounters"], destination=tasks.own, timeout=5)
    assert tasks.get(there)["attributes"]["destinationType"] == "extended"
    unknown = tasks.post("resetNetworkDiagCounterTask", types=["macCounters"], destination="f" * 16, timeout=5)
    assert tasks.status(unknown) == "pending"


def test_a_detached_node_fails_to_reset_and_waits_to_ask() -> None:
    tasks = Tasks(attached=False)
    reset = tasks.post("resetNetworkDiagCounterTask", types=["macCounters"], timeout=5)
    ask = tasks.post("getNetworkDiagnosticTask", destination=tasks.own, types=["rloc16"], timeout=60)
    assert (tasks.status(reset), tasks.status(ask)) == ("failed", "pending")
    tasks.node.perform(tasks.network.enable)
    tasks.node.advance(8 * SECOND)
    assert tasks.status(ask) == "completed"


def test_looking_for_more_devices_than_there_are_ends_after_its_retries() -> None:
    tasks = Tasks()
    task = tasks.post("updateDeviceCollectionTask", maxAge=1, maxRetries=2, deviceCount=9, timeout=30)
    tasks.node.advance(SECOND // 10)
    assert tasks.status(task) == "active"
    tasks.node.advance(SECOND)
    assert tasks.status(task) == "completed"


def test_pending_counts_what_is_not_finished() -> None:
    tasks = Tasks()
    tasks.post("resetNetworkDiagCounterTask", types=[], timeout=5)
    tasks.post("addThreadDeviceTask", eui=EUI, pskd="J01NME")
    tasks.post("addThreadDeviceTask", joinerId="*", pskd="J01NME")
    meta = json.loads(tasks.client.ask("GET", "/api/actions", accept="*/*").body)["meta"]
    assert meta["collection"] == {"offset": 0, "limit": 200, "total": 3, "pending": 2}


GOOD: dict[str, dict[str, object]] = {
    "addThreadDeviceTask": {"eui": EUI, "pskd": "J01NME", "timeout": 5},
    "getEnergyScanTask": {"destination": "f" * 16, **SCAN},
    "getNetworkDiagnosticTask": {"destination": "f" * 16, "types": ["rloc16"], "timeout": 5},
    "resetNetworkDiagCounterTask": {"types": ["macCounters"], "timeout": 5},
    "updateDeviceCollectionTask": {"maxAge": 1, "maxRetries": 1, "deviceCount": 1, "timeout": 5},
}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("addThreadDeviceTask", {"pskd": "J01NM"}),
        ("addThreadDeviceTask", {"pskd": "J01NMQ"}),
        ("addThreadDeviceTask", {"pskd": 7}),
        ("addThreadDeviceTask", {"eui": 7}),
        ("addThreadDeviceTask", {"eui": "*"}),
        ("addThreadDeviceTask", {"eui": "0xabc/12"}),
        ("addThreadDeviceTask", {"discerner": "0xabc/12"}),
        ("addThreadDeviceTask", {"timeout": "5"}),
        ("addThreadDeviceTask", {"timeout": None}),
        ("getEnergyScanTask", {"channelMask": [10]}),
        ("getEnergyScanTask", {"channelMask": ["11"]}),
        ("getEnergyScanTask", {"channelMask": 11}),
        ("getEnergyScanTask", {"count": "3"}),
        ("getEnergyScanTask", {"period": None}),
        ("getEnergyScanTask", {"destination": "ff"}),
        ("getEnergyScanTask", {"destination": 5}),
        ("getNetworkDiagnosticTask", {"types": ["nope"]}),
        ("getNetworkDiagnosticTask", {"types": [5]}),
        ("getNetworkDiagnosticTask", {"types": "rloc16"}),
        ("getNetworkDiagnosticTask", {"destinationType": "other"}),
        ("getNetworkDiagnosticTask", {"destinationType": "rloc"}),
        ("getNetworkDiagnosticTask", {"destinationType": []}),
        ("getNetworkDiagnosticTask", {"timeout": None}),
        ("resetNetworkDiagCounterTask", {"types": ["rloc16"]}),
        ("resetNetworkDiagCounterTask", {"destination": None}),
        ("resetNetworkDiagCounterTask", {"timeout": "5"}),
        ("updateDeviceCollectionTask", {"maxAge": "1"}),
        ("updateDeviceCollectionTask", {"maxAge": True}),
        ("updateDeviceCollectionTask", {"deviceCount": None}),
        ("updateDeviceCollectionTask", {"timeout": {}}),
    ],
)
def test_bad_attributes_are_422(kind: str, change: dict[str, object]) -> None:
    tasks = Tasks()
    body = json.dumps({"data": [{"type": kind, "attributes": {**GOOD[kind], **change}}]})
    assert tasks.client.ask("POST", "/api/actions", body, content_type=JSON_API).status == 422


@pytest.mark.parametrize("kind", list(GOOD))
def test_each_required_attribute_is_required(kind: str) -> None:
    tasks = Tasks()
    for name in GOOD[kind]:
        attributes = {each: value for each, value in GOOD[kind].items() if each != name}
        body = json.dumps({"data": [{"type": kind, "attributes": attributes}]})
        optional = kind == "addThreadDeviceTask" and name == "timeout"
        answer = tasks.client.ask("POST", "/api/actions", body, content_type=JSON_API)
        assert answer.status == (200 if optional else 422), name
