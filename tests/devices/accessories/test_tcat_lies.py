"""What goes wrong while a TCAT device is commissioned: every lie, as its commissioner and the event log see it."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from devices import Home
from devices.accessories.base import Accessory
from devices.accessories.tcat_identity import shown_identity
from devices.accessories.tcat_lies import TCAT_LIES
from devices.control.catalogue import read_catalogue
from devices.errors import UsageError
from devices.stores.tcat_identities import identities_in
from devices.transports.tcat_tls import TlsChannel, TlsRefusedError, client_context
from tests.support.thread_home import ThreadHome
from tests.support.thread_network import DATASET

LAMP: dict[str, Any] = {"id": "lamp", "kind": "tcat-device", "udp_port": 10001, "pskd": "J01NME", "ble": False}
FACTORY, COMMISSIONED = "fbff52518041c0", "fbff52518041dc"


def home(lie: str | dict[str, Any], **lamp: Any) -> ThreadHome:
    return ThreadHome(1, {**LAMP, "lies": [lie], **lamp}, commissioner=[{"id": "installer", "target": "br1"}])


def fired(mesh: ThreadHome) -> set[str]:
    return {each["kind"] for each in mesh.events("FaultFired", "lamp")}


def commission(mesh: ThreadHome) -> str:
    """The rule that a refusal names, or the outcome."""
    answer = mesh.do("installer", "tcat-commission", dataset=DATASET.hex(), target="lamp")
    return str(answer.get("verdict", {}).get("rule") or answer["outcome"])


@pytest.mark.parametrize(
    ("lie", "rule", "is_commissioned"),
    [
        ("wrong-role-certificate", "device-certificate", False),
        ("refuse-commissioners", "closed-by-device", False),
        ("refuse-command", "busy", False),
        ({"kind": "refuse-command", "command": "thread-start", "status": "unsupported"}, "unsupported", True),
        ({"kind": "refuse-command", "command": "every", "status": "general-error"}, "general-error", False),
        ("no-answer", "no-answer", False),
        ({"kind": "no-answer", "carried_out": True}, "no-answer", True),
        ("parts-mid-answer", "no-answer", True),
        ("split-answers", "done", True),
        ({"kind": "split-answers", "record": 0, "piece": 1, "every": "1ms"}, "done", True),
    ],
)
def test_the_commissioner_meets_the_lie_and_the_device_is_where_it_says(
    lie: str | dict[str, Any], rule: str, is_commissioned: bool
) -> None:
    with home(lie) as mesh:
        assert commission(mesh) == rule
        mesh.wait("3s")
        assert (mesh.home["lamp"].facts["advert"] != FACTORY) == is_commissioned
        assert fired(mesh) == {lie if isinstance(lie, str) else lie["kind"]}


def test_a_wrong_proof_of_the_pskd_is_noticed() -> None:
    with home("wrong-pskd-proof") as mesh:
        assert mesh.do("installer", "tcat-prove", code="J01NME")["verdict"]["rule"] == "device-proof"
        assert fired(mesh) == {"wrong-pskd-proof"}


def test_a_stale_advert_looks_factory_new_until_the_lie_ends() -> None:
    with ThreadHome(1, LAMP, commissioner=[{"id": "installer", "target": "br1"}]) as mesh:
        with mesh.home.fault("stale-advert", target="lamp"):
            assert commission(mesh) == "done"
            mesh.wait("3s")
            assert mesh.roles()["lamp"] == "child"
            assert mesh.home["lamp"].facts["advert"] == FACTORY
            assert fired(mesh) == {"stale-advert"}
        mesh.wait("1s")
        assert mesh.home["lamp"].facts["advert"] == COMMISSIONED


def test_another_id_is_advertised_instead_of_its_own() -> None:
    lie = {"kind": "wrong-device-id", "which": "oui24", "value": "123456"}
    with home(lie, discriminator="0102030405") as mesh:
        assert mesh.home["lamp"].facts["advert"] == "fbff52131234565180" + "41c0"
        assert fired(mesh) == {"wrong-device-id"}


def test_a_small_mtu_is_told_over_bluetooth_alone() -> None:
    with home("small-mtu", ble=True) as mesh:
        assert commission(mesh) == "done"
        assert not fired(mesh)


@pytest.mark.parametrize(
    "lie",
    [
        {"kind": "refuse-command", "command": "pong"},
        {"kind": "refuse-command", "status": "hungry"},
        {"kind": "wrong-device-id", "value": "12"},
        {"kind": "parts-mid-answer", "sent": -1},
        {"kind": "split-answers", "piece": -1},
    ],
)
def test_parameters_that_make_no_sense_are_refused(lie: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        home(lie).home.start()


def test_certificates_of_real_tls_are_refused_on_virtual_time() -> None:
    for lie in ("expired-certificate", "foreign-certificate"):
        with pytest.raises(UsageError, match="real time only"):
            home(lie).home.start()


def test_every_lie_is_in_the_catalogue() -> None:
    listed = {each["kind"] for each in read_catalogue() if "tcat-device" in each.get("accessories", ())}
    assert set(TCAT_LIES) <= listed


# Real time


def _shake(device: Accessory, context: ssl.SSLContext, told: str, folder: Path) -> str:
    """What becomes of a handshake with the device while it tells a lie."""
    lies = {told: TCAT_LIES[told]()} if told else {}
    server = shown_identity(device, str(folder), lies).channel()
    client = TlsChannel(context, server=False)
    client.begin()
    try:
        for _ in range(4):
            server.receive(client.take())
            client.receive(server.take())
    except TlsRefusedError as problem:
        return str(problem)
    return "established"


def test_certificates_that_have_run_out_or_are_foreign_fail_real_tls(tmp_path: Path) -> None:
    own = identities_in(tmp_path, make=True)
    careless = client_context(own.certificate("commissioner"), own.key("commissioner"), own.authority)
    careful = client_context(own.certificate("commissioner"), own.key("commissioner"), own.authority)
    careful.verify_flags = ssl.VerifyFlags.VERIFY_DEFAULT
    with Home({"accessory": [{**LAMP, "udp_port": 0, "identities": str(tmp_path)}]}, seed=1) as real:
        device = real.live.accessory("lamp")
        assert _shake(device, careful, "", tmp_path) == "established"
        assert _shake(device, careless, "expired-certificate", tmp_path) == "established"
        assert _shake(device, careful, "expired-certificate", tmp_path) == "CERTIFICATE_VERIFY_FAILED"
        assert _shake(device, careless, "foreign-certificate", tmp_path) == "CERTIFICATE_VERIFY_FAILED"
