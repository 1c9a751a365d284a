"""A device's TCAT agent: its states against every intent, its adverts, and who may do what in a connection."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import SECOND, Outputs
from pairing.errors import LocalProtocolError
from pairing.thread.tcat.device import TcatAgent
from pairing.thread.tcat.profile import TcatNode, TcatProfile, TcatState
from pairing.thread.tcat.proofs import tcat_proof
from pairing.thread.tcat.tlvs import TcatTlv, TcatType
from tests.support.tcat import DATASET, PEER, SPKI, agent, ask, certificate, connected, names, sent

COMMISSIONED = TcatNode(dataset=DATASET)


def fresh() -> TcatAgent:
    return TcatAgent(TcatProfile(certificate=certificate(commissioner=False), device_id=bytes(8)), bytes)


def in_state(state: TcatState) -> TcatAgent:
    if state is TcatState.CONNECTED:
        return connected()
    device = fresh() if state is TcatState.DISABLED else agent()
    if state in (TcatState.STANDBY, TcatState.STANDBY_TEMPORARY, TcatState.ACTIVE_TEMPORARY):
        device.standby(0)
    if state is TcatState.STANDBY_TEMPORARY:
        device.activate(0, delay=SECOND)
    if state is TcatState.ACTIVE_TEMPORARY:
        device.activate(0, duration=SECOND)
    assert device.state is state
    return device


D, S, ST, A, AT, C = TcatState
INTENTS: dict[str, tuple[Callable[[TcatAgent], Outputs], dict[TcatState, TcatState]]] = {
    "start": (lambda device: device.start(0), {D: A}),
    "stop": (lambda device: device.stop(0), {D: D, S: D, ST: D, A: D, AT: D, C: D}),
    "standby": (lambda device: device.standby(0), {S: S, ST: S, A: S, AT: S, C: C}),
    "activate": (lambda device: device.activate(0), {S: A, ST: A, A: A, AT: A, C: C}),
    "activate for a while": (lambda device: device.activate(0, duration=SECOND), {S: AT, ST: AT, A: A, AT: AT}),
    "connected": (
        lambda device: device.connected("another", certificate(commissioner=True), 0),
        {D: D, S: S, ST: ST, A: C, AT: C, C: C},
    ),
    "disconnected": (lambda device: device.disconnected(0), {D: D, S: S, ST: ST, A: A, AT: AT, C: A}),
    "plaintext": (
        lambda device: device.receive(b"\x0a\x00", "another", 0),
        {D: D, S: S, ST: ST, A: A, AT: AT, C: C},
    ),
    "time": (lambda device: device.handle_timeout(10 * SECOND), {D: D, S: S, ST: A, A: A, AT: S, C: C}),
}


@pytest.mark.parametrize("state", TcatState)
@pytest.mark.parametrize("intent", INTENTS)
def test_every_intent_in_every_state(intent: str, state: TcatState) -> None:
    act, after = INTENTS[intent]
    device = in_state(state)
    if state in after:
        act(device)
        assert device.state is after[state]
    else:
        with pytest.raises(LocalProtocolError):
            act(device)
        assert device.state is state


def test_standby_and_time_wait_for_the_end_of_a_connection() -> None:
    device = connected()
    device.standby(0)
    device.disconnected(0)
    assert device.state is S
    device.activate(0, duration=SECOND)
    device.connected(PEER, certificate(commissioner=True), 0)
    assert device.handle_timeout(SECOND) == ()
    device.disconnected(2 * SECOND)
    assert device.state is S


def test_one_that_is_attached_starts_in_standby() -> None:
    assert agent(TcatNode(dataset=DATASET, attached=True)).state is S


@pytest.mark.parametrize("by", [certificate(commissioner=False), certificate(commissioner=True, rights=1)])
def test_only_a_commissioners_certificate_gives_commands(by: object) -> None:
    device = agent()
    is_commissioner = by == certificate(commissioner=True)
    outputs = device.connected(PEER, by, 0)  # type: ignore[arg-type]  # parametrized
    assert ("TcatSessionOpened" in names(outputs)) is is_commissioner
    assert ("TcatSessionClosed" in names(outputs)) is not is_commissioner


def test_disconnect_drops_what_comes_behind_it() -> None:
    device = connected()
    outputs = device.receive(bytes.fromhex("0a0101" + "0900" + "0a0102"), PEER, 0)
    assert sent(outputs).hex() == "020101"
    assert device.state is A


def test_setting_the_dataset_counts_from_the_start_of_the_connection() -> None:
    device = connected()
    for _ in range(2):
        assert ask(device, TcatType.SET_ACTIVE_DATASET, DATASET.encode()) == "010100"
    again = connected(COMMISSIONED)
    assert ask(again, TcatType.SET_ACTIVE_DATASET, b"\x00") == "010108"
    assert ask(again, TcatType.DECOMMISSION) == "010100"
    assert ask(again, TcatType.SET_ACTIVE_DATASET, DATASET.encode()) == "010100"


@pytest.mark.parametrize(("value", "status"), [("00", "02"), ("000300001100", "02"), ("0102c64e", "03"), ("", "03")])
def test_a_dataset_that_will_not_do(value: str, status: str) -> None:
    assert ask(connected(), TcatType.SET_ACTIVE_DATASET, bytes.fromhex(value)) == f"0101{status}"


FLAGS = {"pskd": 0x02, "name": 0x04, "xpanid": 0x08, "domain": 0x10, "pskc": 0x20}
MATCHING = {"name": b"OpenThread-c64e", "xpanid": bytes.fromhex("ef1398c2fd504b67"), "domain": b"DefaultDomain"}


@pytest.mark.parametrize("flag", ["name", "xpanid", "domain"])
def test_a_name_in_the_certificate_must_be_the_networks(flag: str) -> None:
    right = certificate(commissioner=True, rights=FLAGS[flag], **{flag: MATCHING[flag]})
    wrong = certificate(commissioner=True, rights=FLAGS[flag], **{flag: b"something"})
    without = certificate(commissioner=True, rights=FLAGS[flag])
    assert ask(connected(COMMISSIONED, right), TcatType.THREAD_START) == "010100"
    assert ask(connected(COMMISSIONED, wrong), TcatType.THREAD_START) == "010110"
    assert ask(connected(COMMISSIONED, without), TcatType.THREAD_START) == "010110"


@pytest.mark.parametrize(
    ("flag", "command", "key"),
    [("pskd", TcatType.PRESENT_PSKD_PROOF, b"J01NME"), ("pskc", TcatType.PRESENT_PSKC_PROOF, DATASET.pskc)],
)
def test_a_proof_opens_what_asks_for_it(flag: str, command: TcatType, key: bytes) -> None:
    device = connected(COMMISSIONED, certificate(commissioner=True, rights=FLAGS[flag]))
    assert ask(device, TcatType.GET_ACTIVE_DATASET) == "010110"
    challenge = bytes.fromhex(ask(device, TcatType.GET_CHALLENGE))[2:]
    assert ask(device, command, tcat_proof(b"wrong", challenge, SPKI)) == "010107"
    assert ask(device, command, tcat_proof(key, challenge, SPKI)) == "010100"
    assert ask(device, TcatType.GET_ACTIVE_DATASET) == TcatTlv(2, DATASET.encode()).encode().hex()


def test_the_devices_own_flags_need_one_that_is_met() -> None:
    own = certificate(commissioner=False, rights=FLAGS["domain"] | FLAGS["pskc"])
    by = certificate(commissioner=True, domain=b"DefaultDomain")
    assert ask(connected(COMMISSIONED, by, certificate=own), TcatType.THREAD_START) == "010100"
    assert ask(connected(COMMISSIONED, certificate=own), TcatType.THREAD_START) == "010110"


def test_rights_are_looked_at_before_the_state() -> None:
    nobody = certificate(commissioner=True, rights=FLAGS["domain"])
    for command in (TcatType.GET_ACTIVE_DATASET, TcatType.THREAD_START, TcatType.DECOMMISSION, TcatType.APP_DATA_1):
        assert ask(connected(by=nobody), command) == "010110"


@pytest.mark.parametrize(("url", "answer"), [(None, "010108"), ("", "010106"), ("u", "020175"), ("u" * 64, "010106")])
def test_the_provisioning_url(url: str | None, answer: str) -> None:
    assert ask(connected(provisioning_url=url), TcatType.GET_PROVISIONING_URL) == answer


def test_a_device_without_a_pskd_proves_nothing() -> None:
    assert ask(connected(pskd=None), TcatType.REQUEST_PSKD_PROOF, bytes(8)) == "010106"


def test_what_the_host_says_of_the_node_is_advertised() -> None:
    device = agent()
    (changed,) = device.node_changed(0, TcatNode(dataset=DATASET, attached=True))
    assert names([changed]) == ["TcatAdvertChanged"]
    assert device.node_changed(0, TcatNode(dataset=DATASET, attached=True)) == ()


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_plaintext_ends_in_answers_and_loses_nothing(parts: list[bytes]) -> None:
    device = connected()
    for part in parts:
        device.receive(part, PEER, 0)
    assert device.state in (TcatState.CONNECTED, TcatState.ACTIVE)
    device.disconnected(0)
    device.connected(PEER, certificate(commissioner=True), 0)
    assert ask(device, TcatType.PING, b"still there") == TcatTlv(2, b"still there").encode().hex()
