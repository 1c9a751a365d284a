"""Thread lights and sensors: their labels, joining over the home's mesh, what they keep, and what they can do wrong."""

from pathlib import Path
from typing import Any

import pytest

from devices import Home
from devices.errors import ActionRefusedError, HomeFileError, UsageError
from pairing.engine import SECOND
from pairing.thread.joiner import parse_qr_payload
from pairing.thread.joiner_table import JoinerId, is_valid_pskd
from pairing.thread.network import Network
from tests.support.thread_home import ThreadHome
from tests.support.thread_network import DATASET

LIGHT = {"id": "light", "kind": "thread-light"}
SENSOR = {"id": "sensor", "kind": "thread-sensor"}


def expecting(
    routers: int = 2, *others: dict[str, Any], at: str = "br1", seed: int = 1, **installer: Any
) -> ThreadHome:
    """A home with an installer who will let the light in."""
    devices = others or (LIGHT,)
    commissioner = {"id": "installer", "target": at, **installer}
    return ThreadHome(routers, *devices, seed=seed, commissioner=[commissioner])


def let_in(mesh: ThreadHome, device: str = "light") -> None:
    mesh.wait("5s")
    assert mesh.do("installer", "petition")["outcome"] == "done"
    assert mesh.do("installer", "enable-joiner", qr=mesh.home[device].shows["qr"])["outcome"] == "done"


def failure(mesh: ThreadHome, device: str = "light") -> str:
    (failed,) = mesh.events("JoiningFailed", device)
    return str(failed["error"])


# Labels


def test_labels_are_drawn_from_the_seed_and_differ() -> None:
    def labels(seed: int) -> list[dict[str, str]]:
        with ThreadHome(0, LIGHT, SENSOR, seed=seed) as mesh:
            return [dict(mesh.home[name].shows) for name in mesh.home]

    first = labels(1)
    assert first == labels(1) != labels(2)
    for label in first:
        eui64, pskd = parse_qr_payload(label["qr"])
        assert label["pskd"] == pskd
        assert is_valid_pskd(pskd)
        assert eui64[0] & 0x03 == 0x02
    assert first[0]["pskd"] != first[1]["pskd"]


def test_a_label_can_be_given() -> None:
    given = {**LIGHT, "eui64": "18B4300000000002", "pskd": "J01NME"}
    with ThreadHome(0, given) as mesh:
        assert mesh.home["light"].shows["qr"] == "v=1&&eui=18b4300000000002&&cc=J01NME"
        assert mesh.home["light"].state == "not-joined"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"pskd": "lower"}, "6 to 32 characters"),
        ({"eui64": "12"}, "16 hex digits"),
        ({"dataset": "same as nobody"}, "stands above it"),
        ({"dataset": "0e08"}, "dataset"),
        ({"vendor_data": "xyz"}, "hex digits"),
    ],
)
def test_a_bad_table_says_what_is_wrong(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(HomeFileError, match=said), ThreadHome(1, {**LIGHT, **keys}):
        pass


# Joining


@pytest.mark.parametrize("at", ["br1", "br2"])
def test_a_light_that_is_expected_joins_wherever_the_commissioner_is_connected(at: str) -> None:
    with expecting(at=at) as mesh:
        let_in(mesh)
        mesh.do("light", "press")
        assert mesh.home["light"].state == "joining"
        mesh.wait("5s")
        assert mesh.home["light"].state == "child"
        light = mesh.node("light")
        assert light.active_dataset is not None
        assert light.active_dataset.network_key == DATASET.network_key
        assert light.active_dataset.channel == DATASET.channel, "learnt as it attached"
        (fin,) = mesh.events("JoinFinReceived", "installer")
        assert (fin["vendor_name"], fin["vendor_model"], fin["vendor_sw_version"]) == ("pairlab", "Light", "1.0")
        assert [event["accepted"] for event in mesh.events("JoinerFinalized", "installer")] == [True]
        assert {event["actor"] for event in mesh.events("JoinerEntrusted")} == {"light", "br1"}
        (attached,) = mesh.events("ChildAttached")
        assert attached["rloc16"] == light.rloc16


def test_the_network_key_is_in_no_event_that_is_shown() -> None:
    with expecting() as mesh:
        let_in(mesh)
        mesh.do("light", "join")
        mesh.wait("5s")
        assert mesh.events("CodeShown", "light")[0]["kind"] == "pskd"
        shown = str([event.as_json() for event in mesh.home.events.all()])
        assert DATASET.network_key is not None
        assert DATASET.network_key.hex() not in shown
        assert mesh.home["light"].shows["pskd"] not in shown


def test_the_built_in_commissioner_lets_it_in_as_well() -> None:
    with ThreadHome(2, LIGHT) as mesh:
        mesh.wait("5s")
        router = mesh.home.live.accessory("br2")
        network = mesh.node("br2")
        eui64, pskd = parse_qr_payload(mesh.home["light"].shows["qr"])
        mesh.home.call(lambda: router.perform(network.start_commissioner))  # type: ignore[attr-defined]
        mesh.wait("1s")
        mesh.home.call(
            lambda: router.perform(  # type: ignore[attr-defined]
                lambda now: network.commissioning.add_joiner(JoinerId(eui64=eui64), pskd, 60 * SECOND, now)
            )
        )
        mesh.do("light", "join")
        mesh.wait("5s")
        assert mesh.home["light"].state == "child"


def test_commissioners_at_two_border_routers_meet_at_the_leader() -> None:
    second = {"id": "second", "target": "br2", "commissioner_id": "second"}
    with ThreadHome(2, commissioner=[{"id": "installer", "target": "br1"}, second]) as mesh:
        mesh.wait("5s")
        assert mesh.do("second", "petition")["outcome"] == "done"
        refused = mesh.do("installer", "petition")
        assert refused["outcome"] == "refused"
        assert "second" in str(refused["verdict"])
        mesh.do("second", "resign")
        assert mesh.do("installer", "petition")["outcome"] == "done"


def test_a_dataset_that_a_commissioner_sets_at_one_router_reaches_all() -> None:
    with expecting(2, LIGHT, {**SENSOR, "dataset": "same as br1"}, at="br2") as mesh:
        let_in(mesh)
        assert mesh.do("installer", "set", fields={"network_name": "Renamed"})["outcome"] == "done"
        mesh.wait("1s")
        assert {mesh.node(name).network_name for name in ("br1", "br2", "sensor")} == {"Renamed"}
        causes = {event["actor"]: event["cause"] for event in mesh.events("DatasetChanged")}
        assert causes == {"br2": "commissioner", "br1": "mesh", "sensor": "mesh"}


def test_a_persistent_search_waits_until_somebody_expects_the_device() -> None:
    with expecting(1, {**SENSOR, "join": True}) as mesh:
        mesh.wait("60s")
        assert mesh.home["sensor"].state == "joining"
        assert not mesh.events("JoiningFailed")
        let_in(mesh, "sensor")
        mesh.wait("15s")
        assert mesh.home["sensor"].state == "child"


def test_nobody_in_reach_ends_the_search() -> None:
    with ThreadHome(0, LIGHT) as mesh:
        mesh.do("light", "join")
        mesh.wait("10s")
        assert "no router answered 4 requests" in failure(mesh)
        assert mesh.home["light"].state == "not-joined"


def test_steering_data_of_another_keep_it_out() -> None:
    with expecting(2, LIGHT, SENSOR) as mesh:
        let_in(mesh, "sensor")
        mesh.do("light", "join")
        mesh.wait("5s")
        assert "steering data" in failure(mesh)
        assert {event["admitted"] for event in mesh.events("JoinerDiscovered")} == {False}
        assert mesh.home["light"].state == "not-joined"


def test_joining_goes_on_over_a_lossy_mesh_or_fails_with_a_reason() -> None:
    outcomes = set()
    for seed in range(6):
        with expecting(2, seed=seed) as mesh:
            let_in(mesh)
            with mesh.home.fault("drop", medium="mesh", probability=0.1, optional=True):
                mesh.do("light", "join")
                mesh.wait("150s")
            joined = mesh.home["light"].state == "child"
            outcomes.add(joined)
            assert joined or len(mesh.events("JoiningFailed", "light")) == 1
            key = mesh.node("light").active_dataset
            assert (key is not None) is joined
    assert True in outcomes


# What can go wrong


def test_a_wrong_pskd_shows_on_both_sides() -> None:
    with expecting() as mesh:
        let_in(mesh)
        with mesh.home.fault("wrong-pskd", "light"):
            mesh.do("light", "join")
            mesh.wait("5s")
        assert "bad_record_mac" in failure(mesh)
        assert mesh.events("HandshakeFailed", "installer")
        assert mesh.home["light"].state == "not-joined"


def test_a_commissioner_that_rejects_join_fin_entrusts_nobody() -> None:
    with expecting(lies=["reject-joiners"]) as mesh:
        let_in(mesh)
        mesh.do("light", "join")
        mesh.wait("10s")
        assert "rejected JOIN_FIN" in failure(mesh)
        assert not mesh.events("JoinerEntrusted")


def test_a_light_that_ignores_the_reject_joins_if_it_is_sent_the_kek_all_the_same() -> None:
    with expecting(lies=["reject-joiners", "kek-on-reject"]) as mesh:
        let_in(mesh)
        with mesh.home.fault("ignore-reject", "light"):
            mesh.do("light", "join")
            mesh.wait("10s")
        assert mesh.home["light"].state == "child"


def test_another_provisioning_url_is_rejected() -> None:
    named = {**LIGHT, "provisioning_url": "https://example.com/other"}
    with expecting(1, named, provisioning_url="https://example.com/setup") as mesh:
        let_in(mesh)
        mesh.do("light", "join")
        mesh.wait("10s")
        assert "rejected JOIN_FIN" in failure(mesh)


def test_a_light_that_misses_join_ent_gives_up() -> None:
    with expecting() as mesh:
        let_in(mesh)
        with mesh.home.fault("entrust-lost", "light"):
            mesh.do("light", "join")
            mesh.wait("10s")
        assert "nobody entrusted it" in failure(mesh)
        assert mesh.home["light"].state == "not-joined"


def test_a_light_that_says_nothing_after_its_proof_is_given_up_by_the_commissioner() -> None:
    with expecting() as mesh:
        let_in(mesh)
        with mesh.home.fault("no-join-fin", "light"):
            mesh.do("light", "join")
            mesh.wait("90s")
        assert mesh.events("JoinerConnected", "installer")
        assert not mesh.events("JoinerFinalized")


def test_a_light_that_ignores_steering_is_turned_away_by_the_commissioner() -> None:
    with expecting(2, LIGHT, SENSOR) as mesh:
        let_in(mesh, "sensor")
        with mesh.home.fault("ignore-steering", "light"):
            mesh.do("light", "join")
            mesh.wait("120s")
        assert failure(mesh)
        assert not mesh.events("JoinerConnected")


# Life afterwards


def test_what_it_learnt_outlives_a_restart_and_a_reset_forgets_it() -> None:
    with expecting() as mesh:
        let_in(mesh)
        mesh.do("light", "join")
        mesh.wait("5s")
        with pytest.raises(ActionRefusedError, match="has a network already"):
            mesh.do("light", "join")
        mesh.do("light", "restart")
        mesh.wait("3s")
        assert mesh.home["light"].state == "child"
        mesh.do("light", "factory-reset")
        mesh.wait("3s")
        assert mesh.home["light"].state == "not-joined"
        mesh.do("light", "press")
        mesh.wait("5s")
        assert mesh.home["light"].state == "child"


def test_a_lamp_switches_and_dims() -> None:
    with ThreadHome(1, {**LIGHT, "dataset": "same as br1"}) as mesh:
        mesh.do("light", "press")
        mesh.do("light", "update", brightness=30)
        mesh.do("light", "update", brightness=30, on=True)
        changed = [(event["name"], event["value"]) for event in mesh.events("AttributeChanged")]
        assert changed == [("on", True), ("brightness", 30)]
        with pytest.raises(UsageError, match="1 to 100"):
            mesh.do("light", "update", brightness=0)
        mesh.do("light", "restart")
        assert (mesh.home["light"].facts["on"], mesh.home["light"].facts["brightness"]) == (True, 30)


def test_a_thermometer_reads_now_and_then() -> None:
    with ThreadHome(0, {**SENSOR, "every": "10s", "step": 0.2}) as mesh:
        mesh.wait("35s")
        values = [event["value"] for event in mesh.events("AttributeChanged")]
        assert len(values) == 3
        assert all(abs(after - before) <= 0.21 for before, after in zip([21.0, *values], values, strict=False))
        mesh.do("sensor", "update", value=-4.5)
        assert mesh.home["sensor"].facts["temperature"] == -4.5
        mesh.do("sensor", "power-off")
        mesh.wait("60s")
        assert len(mesh.events("AttributeChanged")) == 4


def test_a_joined_device_is_remembered_by_the_state_of_a_home(tmp_path: Path) -> None:
    with expecting() as mesh:
        let_in(mesh)
        mesh.do("light", "join")
        mesh.wait("5s")
        saved = mesh.home.call(lambda: mesh.home.live.accessory("light").dump_state())
    with Home({"accessory": [LIGHT]}, seed=5, virtual=True) as home:
        home.call(lambda: home.live.accessory("light").load_state(saved))
        network = home.call(lambda: home.live.accessory("light").network)  # type: ignore[attr-defined]
        assert isinstance(network, Network)
        assert network.active_dataset is not None
        assert network.active_dataset.network_key == DATASET.network_key
