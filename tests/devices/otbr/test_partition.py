"""What one border router's REST API says of the others of its partition."""

from typing import Any

from devices.accessories.thread_border_router import ThreadBorderRouter
from devices.otbr.actions import Action
from devices.otbr.address import AddressType, Destination
from devices.otbr.node_json import node_json
from devices.otbr.task import GetNetworkDiagnostic, Task, UpdateDeviceCollection
from tests.support.thread_home import ThreadHome

LIGHT = {"id": "light", "kind": "thread-light", "dataset": "same as br1"}
SENSOR = {"id": "sensor", "kind": "thread-sensor", "dataset": "same as br1"}
UPDATE = UpdateDeviceCollection(timeout_s=10, max_age_ms=0, max_retries=0, device_count=4)


def router(mesh: ThreadHome, name: str) -> ThreadBorderRouter:
    accessory = mesh.home.live.accessory(name)
    assert isinstance(accessory, ThreadBorderRouter)
    return accessory


def run(mesh: ThreadHome, name: str, task: Task) -> Action:
    asked = router(mesh, name)

    def post() -> Action:
        (action,) = asked.engine.actions.create([task], mesh.home.live.clock.now())
        asked.perform(asked.engine.actions.advance)
        return action

    action = mesh.home.call(post)
    mesh.wait("1s")
    return action


def diagnostics(mesh: ThreadHome, asked: str, about: str, *types: str) -> dict[str, Any]:
    destination = Destination(mesh.node(about).ext_address.hex(), AddressType.EXTENDED)
    action = run(mesh, asked, GetNetworkDiagnostic(destination=destination, types=types, timeout_s=10))
    item = router(mesh, asked).engine.diagnostics.get(action.result_id or "")
    assert item is not None
    return dict(item.attributes)


def test_every_border_router_lists_the_whole_partition() -> None:
    with ThreadHome(2, LIGHT, SENSOR) as mesh:
        mesh.wait("10s")
        for name in ("br1", "br2"):
            run(mesh, name, UPDATE)
            listed = {item.id: (item.type, item.attributes["role"]) for item in router(mesh, name).engine.devices}
            roles = {each: mesh.node(each) for each in mesh.home}
            assert listed == {
                node.ext_address.hex(): ("threadBorderRouter" if each == name else "threadDevice", str(node.role))
                for each, node in roles.items()
            }


def test_the_two_agree_on_leader_and_partition() -> None:
    with ThreadHome(2) as mesh:
        mesh.wait("10s")
        first, second = (node_json(mesh.node(name)) for name in ("br1", "br2"))
        assert (first["state"], second["state"]) == ("leader", "router")
        for member in ("leaderData", "routerCount", "extPanId", "networkName"):
            assert first[member] == second[member]
        assert first["rloc16"] != second["rloc16"]


def test_another_router_answers_diagnostics_with_its_own_table() -> None:
    with ThreadHome(2, LIGHT, SENSOR) as mesh:
        mesh.wait("10s")
        run(mesh, "br1", UPDATE)
        answer = diagnostics(mesh, "br1", "br2", "extAddress", "rloc16", "route", "childTable", "routerNeighbors")
        other = mesh.node("br2")
        assert answer["extAddress"] == other.ext_address.hex()
        assert answer["rloc16"] == f"0x{other.rloc16:04x}"
        assert "isBorderRouter" not in answer, "only the node that is asked over REST adds these"

        assert {each["routeId"] for each in answer["route"]["routeData"]} == {
            other.router_id,
            mesh.node("br1").router_id,
        }
        assert [each["childId"] for each in answer["childTable"]] == [1]
        assert [each["extAddress"] for each in answer["routerNeighbors"]] == [mesh.node("br1").ext_address.hex()]


def test_a_child_of_another_router_answers_only_what_a_child_knows() -> None:
    with ThreadHome(2, LIGHT, SENSOR) as mesh:
        mesh.wait("10s")
        run(mesh, "br1", UPDATE)
        for device in ("light", "sensor"):
            answer = diagnostics(mesh, "br1", device, "extAddress", "rloc16", "childTable", "mode")
            node = mesh.node(device)
            assert answer["extAddress"] == node.ext_address.hex()
            assert answer["rloc16"] == f"0x{node.rloc16:04x}"
            assert "childTable" not in answer
            assert answer["mode"]["rxOnWhenIdle"] is (device == "light")
