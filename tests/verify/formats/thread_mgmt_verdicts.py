"""Requests to a Leader in order and its answers: code, State, payload."""

from typing import Any

from pairing.coap.message import code_text
from pairing.thread.leader import Leader, find_tlv, tolerant_tlvs
from pairing.thread.management import ManagementPolicy
from pairing.thread.tlv_values import State, field_of
from pairing.thread.tlvs import MeshCopTlvType, Tlv, split_tlvs
from tests.support.meshcop import recorded_network
from tests.verify.mismatch import Mismatch, compare

AS_SETS = ("c/ag", "c/pg", "c/cg")
COMMISSIONER_TYPES = {"border_agent_locator": 9, "commissioner_session_id": 11, "steering_data": 8}


def recognises(document: object) -> bool:
    """Whether this is a list of management requests with the Leader's verdicts."""
    return isinstance(document, dict) and {"initial_active_dataset", "exchanges"} <= document.keys()


def check(document: dict[str, Any]) -> None:
    """Put every request to a Leader in the same position; raises Mismatch."""
    initial = document["initial_commissioner_dataset"]
    session_id = int(initial["commissioner_session_id"], 16)
    network = recorded_network(
        active=document["initial_active_dataset"],
        rloc16=int(initial["border_agent_locator"], 16),
        next_session_id=session_id,
    )
    leader = Leader(network, ManagementPolicy(without_session=True))
    network.petition("recorded", 0)
    stored = {tlv.type: tlv.value.hex() for tlv in leader.commissioner_tlvs}
    for name, value in initial.items():
        compare(f"initial_commissioner_dataset.{name}", value, stored.get(COMMISSIONER_TYPES[name]))
    compare("initial_commissioner_dataset", len(initial), len(stored))
    for number, exchange in enumerate(document["exchanges"]):
        _check_exchange(leader, exchange, f"exchanges[{number}]", session_id, number + 1)


def _check_exchange(leader: Leader, exchange: dict[str, Any], member: str, session_id: int, now: int) -> None:
    compare(f"{member}.session_id", exchange["session_id"], f"{session_id:04x}")
    event = exchange.get("after_event")
    if event is not None:
        if "resigned" not in event:
            raise Mismatch(f"{member}.after_event", "an event that we know", event)
        resign = bytes.fromhex("1001ff0b02") + session_id.to_bytes(2, "big")
        leader.keep_alive(resign, now)
    answer = leader.respond(exchange["path"], bytes.fromhex(exchange["request_tlvs"]), now)
    compare(f"{member}.response_code", exchange["response_code"], "" if answer.code is None else code_text(answer.code))
    compare(f"{member}.state", exchange["state"], _state(answer.payload))
    if exchange["path"] not in AS_SETS:
        compare(f"{member}.response_payload", exchange["response_payload"], answer.payload.hex())
        return
    live = [int(each, 16) for each in exchange.get("live", ())]
    expected = _comparable(bytes.fromhex(exchange["response_payload"]), live)
    compare(f"{member}.response_payload", expected, _comparable(answer.payload, live))


def _comparable(payload: bytes, live: list[int]) -> list[tuple[int, str]]:
    """The TLVs without their order; of those that run only that they are there."""
    return sorted((tlv.type, "live" if tlv.type in live else tlv.value.hex()) for tlv in split_tlvs(payload))


def _state(payload: bytes) -> str | None:
    value = find_tlv(tolerant_tlvs(payload), MeshCopTlvType.STATE)
    state = None if value is None else field_of(Tlv(MeshCopTlvType.STATE, value))
    return state.name.lower() if isinstance(state, State) else None
