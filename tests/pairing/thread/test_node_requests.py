"""Commands and diagnostics through the proxy: as recorded from OpenThread, but for the radio's part and chance's."""

import json
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.coap.message import CoapCode, CoapMessage, CoapType, code_text, path_options
from pairing.engine import MILLISECOND, Outputs, Transmit
from pairing.thread.diagnostics import DeviceMode, DiagnosticTlvType, ThreadChild
from pairing.thread.leader import Leader
from pairing.thread.network import Network
from pairing.thread.node import LEADER_ALOC, NetworkConfig
from pairing.thread.node_requests import COMMANDS, command, diagnostics
from pairing.thread.tlvs import split_tlvs
from pairing.thread.udp_proxy import TMF_PORT, LeaderProxy, ProxiedDatagram, locator_address
from tests.support.meshcop import with_counter
from tests.support.thread_network import counting_entropy, make_network

DOCUMENT = json.loads((Path(__file__).parents[2] / "vectors" / "openthread" / "node_requests.json").read_text())
NETWORK = DOCUMENT["network"]
EXCHANGES = DOCUMENT["exchanges"]
SCAN = bytes.fromhex("35060004001800003601013702006438020032")
_D = DiagnosticTlvType
NOT_EQUAL = (_D.LEADER_DATA, _D.MAC_COUNTERS, _D.VENDOR_NAME, _D.VENDOR_MODEL, _D.VENDOR_SW_VERSION)
LEFT_OUT = (_D.CONNECTIVITY, _D.ROUTE, _D.NETWORK_DATA, _D.EUI64, _D.MLE_COUNTERS, _D.THREAD_STACK_VERSION)


def recorded() -> Network:
    """The node that was asked, with its Commissioner."""
    active = next(each["answers"][0]["payload"] for each in EXCHANGES if each["path"] == "c/ag")
    session_id = int(NETWORK["session_id"], 16)
    state = make_network().to_state(0) | {
        "active_dataset": active,
        "rloc16": int(NETWORK["rloc16"], 16),
        "ext_address": NETWORK["ext_address"],
        "mesh_local_iid": NETWORK["mesh_local_iid"],
        "enabled": True,
    }
    network = Network.from_state(state, NetworkConfig(), with_counter(counting_entropy(), session_id - 1), 0)
    network.lead(0)
    network.petition("raw", 0)
    return network


def messages(outputs: Outputs) -> list[dict[str, str]]:
    """What came back, as the recording has it."""
    back = []
    for output in outputs:
        if isinstance(output, Transmit):
            datagram = ProxiedDatagram.decode(output.payload)
            inner = CoapMessage.decode(datagram.payload)
            back.append(
                {
                    "from": datagram.address.packed[-2:].hex(),
                    "type": inner.message_type.name,
                    "code": code_text(inner.code),
                    "path": inner.path,
                    "payload": inner.payload.hex(),
                }
            )
    return back


class Asking:
    """A Commissioner at the proxy; it acknowledges what the node asks it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.proxy = LeaderProxy(Leader(network), counting_entropy(3), "phone")
        self.now = 0
        self.number = 0

    def ask(self, path: str, payload: bytes, kind: CoapType = CoapType.CON) -> list[dict[str, str]]:
        self.number += 1
        inner = CoapMessage(kind, CoapCode.POST, self.number, b"\1\2", path_options(path), payload)
        leader = locator_address(self.network.mesh_local_prefix, LEADER_ALOC)
        return self._taken(self.proxy.transmit(_datagram(leader, inner), self.now))

    def wait(self) -> list[dict[str, str]]:
        """Until something is due."""
        assert self.proxy.deadline is not None
        self.now = self.proxy.deadline
        return self._taken(self.proxy.handle_timeout(self.now))

    def _taken(self, outputs: Outputs) -> list[dict[str, str]]:
        for output in outputs:
            if isinstance(output, Transmit):
                datagram = ProxiedDatagram.decode(output.payload)
                asked = CoapMessage.decode(datagram.payload)
                if asked.message_type is CoapType.CON:
                    answer = CoapMessage(CoapType.ACK, CoapCode.CHANGED, asked.message_id, asked.token, (), b"")
                    assert messages(self.proxy.transmit(_datagram(datagram.address, answer), self.now)) == []
        return messages(outputs)


def _datagram(address: IPv6Address, message: CoapMessage) -> bytes:
    return ProxiedDatagram(address, TMF_PORT, TMF_PORT, message.encode()).encode_transmit()


def test_commands_are_answered_as_openthread_answers_them() -> None:
    asking = Asking(recorded())
    for exchange in (each for each in EXCHANGES if each["path"] in COMMANDS):
        payload, kind = bytes.fromhex(exchange["payload"]), CoapType[exchange["type"]]
        expected = [dict(each) for each in exchange["answers"]]
        busy = any(each["code"] == "5.03" for each in expected)
        came = asking.ask(exchange["path"], payload, kind)
        if not busy and asking.proxy.deadline is not None and "c/er" in str(expected):
            came += asking.wait()
        if busy:  # the report that follows is the earlier scan's
            assert came == expected[:1]
            asking.wait()
            continue
        assert [_without_levels(each) for each in came] == [_without_levels(each) for each in expected], exchange


def _without_levels(message: dict[str, str]) -> dict[str, str]:
    """Of an energy report how many levels it has; the levels are the radio's."""
    if message["path"] != "c/er":
        return message
    start = 2 * len(bytes.fromhex("35060004001800003904"))
    levels = message["payload"][start:]
    return message | {"payload": message["payload"][:start] + f" {len(levels) // 2} levels"}


@pytest.mark.parametrize("exchange", [each for each in EXCHANGES if each["path"].startswith("d/")])
def test_diagnostics_are_as_openthread_tells_them(exchange: dict[str, Any]) -> None:
    network = recorded()
    network.attach_child(ThreadChild(ext_address=bytes(8), mesh_local_iid=bytes(8), mode=DeviceMode(), child_id=1), 0)
    came = Asking(network).ask(exchange["path"], bytes.fromhex(exchange["payload"]), CoapType[exchange["type"]])
    expected = [dict(each) for each in exchange["answers"]]
    assert len(came) == len(expected)
    for ours, theirs in zip(came, expected, strict=True):
        mine, recorded_tlvs = _tlvs(ours.pop("payload")), _tlvs(theirs.pop("payload"))
        assert ours == theirs
        for tlv_type in LEFT_OUT:
            recorded_tlvs.pop(tlv_type, None)
            mine.pop(tlv_type, None)
        for tlv_type in NOT_EQUAL:
            assert (tlv_type in mine) is (tlv_type in recorded_tlvs)
            if tlv_type in (_D.LEADER_DATA, _D.MAC_COUNTERS) and tlv_type in mine:
                assert len(mine[tlv_type]) == len(recorded_tlvs[tlv_type])
            mine.pop(tlv_type, None)
            recorded_tlvs.pop(tlv_type, None)
        assert mine == recorded_tlvs


def _tlvs(payload: str) -> dict[int, bytes]:
    return {tlv.type: tlv.value for tlv in split_tlvs(bytes.fromhex(payload))}


def test_an_energy_scan_takes_its_time_and_runs_alone() -> None:
    asking = Asking(recorded())
    assert [each["code"] for each in asking.ask("c/es", SCAN)] == ["2.04"]
    # a second before, two channels of 50 ms with 100 ms between them, half a second after
    assert asking.proxy.deadline == (1000 + 2 * 50 + 100 + 500) * MILLISECOND
    assert [each["code"] for each in asking.ask("c/es", SCAN)] == ["5.03"]
    assert [each["path"] for each in asking.wait()] == ["c/er"]
    assert [each["code"] for each in asking.ask("c/es", SCAN)] == ["2.04"]


def test_a_read_sent_non_is_answered_with_type_ack() -> None:
    asking = Asking(recorded())
    exchange = next(each for each in EXCHANGES if each["path"] == "c/ag")
    assert asking.ask("c/ag", b"", CoapType.NON) == exchange["answers"]


@given(st.binary(max_size=60))
def test_any_octets_are_answered(payload: bytes) -> None:
    assert {command(path, payload)[0] for path in COMMANDS} <= {CoapCode.CHANGED, CoapCode.BAD_REQUEST}
    told = diagnostics(make_network(), payload)
    assert told is None or split_tlvs(told) is not None
