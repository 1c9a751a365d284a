"""TCAT devices of a home: commissioned over the simulated lan in virtual time, and by real TLS over UDP."""

from pathlib import Path
from typing import Any

import pytest

from devices import Home
from devices.errors import ActionRefusedError, HomeFileError, UsageError
from devices.stores.tcat_identities import identities_in
from tests.support.thread_home import ThreadHome
from tests.support.thread_network import DATASET

LAMP: dict[str, Any] = {"id": "lamp", "kind": "tcat-device", "udp_port": 10001, "pskd": "J01NME", "ble": False}
INSTALLER = [{"id": "installer", "target": "br1"}]


def home(routers: int = 1, seed: int = 1, **lamp: Any) -> ThreadHome:
    return ThreadHome(routers, {**LAMP, **lamp}, seed=seed, commissioner=INSTALLER)


def commission(mesh: ThreadHome, **arguments: Any) -> dict[str, Any]:
    document: dict[str, Any] = mesh.do(
        "installer", "tcat-commission", dataset=DATASET.hex(), target="lamp", **arguments
    )
    return document


def test_a_commissioned_device_attaches_to_the_homes_network() -> None:
    with home() as mesh:
        mesh.wait("5s")
        assert mesh.home["lamp"].facts["advert"] == "fbff52518041c0"
        assert commission(mesh, pskd="J01NME")["outcome"] == "done"
        mesh.wait("3s")
        assert mesh.roles()["lamp"] == "child"
        assert mesh.home["lamp"].facts["advert"] == "fbff52518041dc"
        assert len(mesh.events("ChildAttached", "br1")) == 1


@pytest.mark.parametrize("lies", [[], ["small-mtu"], [{"kind": "split-answers", "piece": 5, "every": "1ms"}]])
def test_over_the_homes_bluetooth_it_is_commissioned_as_over_the_lan(lies: list[Any]) -> None:
    with home(ble=True, udp_port=None, lies=lies) as mesh:
        assert commission(mesh, pskd="J01NME")["outcome"] == "done"
        mesh.wait("3s")
        assert mesh.roles()["lamp"] == "child"
        assert [each["peer"] for each in mesh.events("Disconnected", "installer")] == [
            mesh.home["lamp"].endpoints["ble"]
        ]
        assert {each["kind"] for each in mesh.events("FaultFired")} == {
            each if isinstance(each, str) else each["kind"] for each in lies
        }
        assert mesh.do("installer", "tcat-command", command="get-network-name", target="lamp")["outcome"] == "done"
        assert DATASET.network_key is not None
        assert DATASET.network_key.hex() not in str([event.as_json() for event in mesh.home.events.all()])


def test_its_part_of_the_stream_may_be_indicated() -> None:
    with home(ble=True, udp_port=None, news="indicate") as mesh:
        assert commission(mesh, pskd="J01NME")["outcome"] == "done"
        assert [each["kind"] for each in mesh.events("Subscribed", "lamp")] == ["indications"]


def test_a_device_that_nobody_hears_or_that_parts_is_a_refusal_with_a_verdict() -> None:
    with home(ble=True, udp_port=None) as mesh:
        mesh.do("lamp", "standby")
        mesh.wait("1s")
        assert commission(mesh)["verdict"]["expected"] == "an advert that one may connect to"
        mesh.do("lamp", "activate")
        with mesh.home.fault("parts-mid-answer", target="lamp"):
            assert commission(mesh)["verdict"]["rule"] == "unreachable"
        assert mesh.roles()["lamp"] == "disabled"  # it has the dataset, and was not told to start


def test_what_happened_is_told_with_how_it_was_protected() -> None:
    with home() as mesh:
        commission(mesh)
        mesh.wait("10ms")
        (opened,) = mesh.events("TcatSessionOpened", "lamp")
        assert opened["tls"] == mesh.home["lamp"].facts["tls"] == "simulated"
        assert [each["command"] for each in mesh.events("TcatCommandAnswered", "lamp")] == [
            "set-active-dataset",
            "thread-start",
        ]
        assert [each["reason"] for each in mesh.events("TcatSessionClosed", "lamp")] == ["disconnect"]
        assert DATASET.network_key is not None
        assert DATASET.network_key.hex() not in str([event.as_json() for event in mesh.home.events.all()])


def test_it_is_decommissioned_and_commissioned_again() -> None:
    with home() as mesh:
        commission(mesh)
        mesh.wait("3s")
        assert commission(mesh)["verdict"]["rule"] == "invalid-state"
        mesh.wait("3s")
        assert mesh.do("installer", "tcat-decommission", target="lamp")["outcome"] == "done"
        mesh.wait("3s")
        assert mesh.roles()["lamp"] == "not-joined"
        assert mesh.home["lamp"].facts["advert"] == "fbff52518041c0"
        assert commission(mesh)["outcome"] == "done"


def test_it_is_deaf_for_two_seconds_after_a_connection() -> None:
    with home() as mesh:
        assert mesh.do("installer", "tcat-command", command="ping", value="01")["outcome"] == "done"
        assert mesh.do("installer", "tcat-command", command="ping")["verdict"]["rule"] == "no-answer"
        assert mesh.do("installer", "tcat-command", command="ping")["outcome"] == "done"


def test_proofs_go_both_ways() -> None:
    with home() as mesh:
        right = mesh.do("installer", "tcat-prove", code="J01NME")
        assert [each["command"] for each in right["value"]["answers"]] == [
            "get-challenge",
            "present-pskd-proof",
            "request-pskd-proof",
        ]
        mesh.wait("3s")
        assert mesh.do("installer", "tcat-prove", code="WR0NG1")["verdict"]["rule"] == "proof-wrong"


def test_one_in_standby_is_not_reached_until_it_is_activated() -> None:
    with home(tcat="standby") as mesh:
        assert mesh.do("installer", "tcat-command", command="ping")["verdict"]["rule"] == "closed-by-device"
        mesh.do("lamp", "activate", delay="5s", duration="60s")
        mesh.wait("6s")
        assert mesh.do("installer", "tcat-command", command="ping")["outcome"] == "done"
        mesh.wait("60s")
        assert mesh.home["lamp"].facts["tcat"] == "standby"


def test_one_that_goes_to_standby_after_joining_lets_its_commissioner_finish() -> None:
    with home(standby_after_joining=True) as mesh:
        commission(mesh)
        mesh.wait("3s")
        assert (mesh.roles()["lamp"], mesh.home["lamp"].facts["tcat"]) == ("child", "standby")
        mesh.do("lamp", "activate")
        assert mesh.do("installer", "tcat-decommission", target="lamp")["outcome"] == "done"


def test_power_ends_a_connection_and_what_is_remembered_stays() -> None:
    with home() as mesh:
        commission(mesh)
        mesh.wait("3s")
        mesh.do("lamp", "restart")
        mesh.wait("3s")
        assert mesh.roles()["lamp"] == "child"
        assert mesh.home["lamp"].facts["tcat"] == "active"
        certificate = mesh.do("installer", "tcat-command", command="get-commissioner-certificate")
        assert certificate["outcome"] == "done"


def test_a_factory_reset_forgets_who_commissioned_it() -> None:
    with home() as mesh:
        commission(mesh)
        mesh.do("lamp", "factory-reset")
        mesh.wait("3s")
        answer = mesh.do("installer", "tcat-command", command="get-commissioner-certificate")
        assert answer["verdict"]["rule"] == "undefined"


def test_one_seed_gives_one_story() -> None:
    def story(seed: int) -> list[dict[str, Any]]:
        with home(seed=seed, ble=True) as mesh:
            commission(mesh, pskd="J01NME")
            mesh.wait("5s")
            return [event.as_json() for event in mesh.home.events.all()]

    assert story(1) == story(1) != story(2)


def test_wrong_usage_says_what_would_be_right() -> None:
    with home() as mesh:
        for arguments in (
            {"command": "pong"},
            {"command": "ping", "target": "lump"},
            {"command": "ping", "value": "x"},
        ):
            with pytest.raises(UsageError):
                mesh.do("installer", "tcat-command", **arguments)
        with pytest.raises(ActionRefusedError):
            mesh.do("lamp", "disconnect")
    for bad in ({"application_data": {"85": "echo"}}, {"oui24": "1234"}):
        with pytest.raises(HomeFileError):
            home(**bad).home.start()


# Real time


def test_over_udp_with_tls_and_certificates_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "identities"
    lamp = {**LAMP, "udp_port": 0, "identities": str(folder)}
    with Home({"accessory": [lamp], "commissioner": [{"id": "installer", "target": "lamp"}]}, seed=1) as real:
        installer = real["installer"]
        done = installer.do(
            "tcat-commission", dataset=DATASET.hex(), pskd="J01NME", start=False, identities=str(folder)
        ).result()
        assert done["outcome"] == "done"
        assert real["lamp"].facts["tls"] == "1.2"
        (opened,) = real.events.all("TcatSessionOpened")
        assert "pairlab TCAT commissioner" in opened.as_json()["subject"]
        assert "key_log" not in opened.as_json()
        assert opened.as_json(secrets=True)["key_log"].startswith("CLIENT_RANDOM ")
    assert sorted(path.stat().st_mode & 0o777 for path in folder.iterdir()) == [0o600] * 6


def test_a_commissioner_of_another_authority_is_refused(tmp_path: Path) -> None:
    lamp = {**LAMP, "udp_port": 0, "identities": str(tmp_path / "one")}
    identities_in(tmp_path / "two", make=True)
    with Home({"accessory": [lamp], "commissioner": [{"id": "installer", "target": "lamp"}]}, seed=1) as real:
        refused = real["installer"].do("tcat-command", command="ping", identities=str(tmp_path / "two")).result()
        assert refused["verdict"]["rule"] == "tls-refused"
