"""Vectors of what a TCAT device advertises after each thing that happens to it."""

import itertools
from typing import Any

from pairing.engine import Outputs
from pairing.thread.dataset import Dataset
from pairing.thread.tcat.authorization import Authorization
from pairing.thread.tcat.certificates import AUTHORIZATION, ThreadCertificate
from pairing.thread.tcat.device import TcatAgent
from pairing.thread.tcat.events import TcatAdvertChanged, TcatAdvertStarted, TcatAdvertStopped
from pairing.thread.tcat.profile import TcatNode, TcatProfile
from pairing.thread.tcat.tlvs import TcatTlv, TcatType
from tests.verify.mismatch import Mismatch, compare_members

_PEER = "commissioner"
_DATASET = Dataset.from_hex(
    "0e080000000000010000000300001235060004001fffe00208ef1398c2fd504b670708fd35344133d1d73e"
    "0510fda7c771a27202e232ecd04cf934f476030f4f70656e5468726561642d633634650102c64e0410"
    "5e9b9b360f80b88be2603fb0135c8d650c0402a0f7f8"
)
_COMMANDS = {
    "commission": TcatTlv(TcatType.SET_ACTIVE_DATASET, _DATASET.encode()),
    "thread start": TcatTlv(TcatType.THREAD_START),
    "thread stop": TcatTlv(TcatType.THREAD_STOP),
    "decommission": TcatTlv(TcatType.DECOMMISSION),
    "query only": TcatTlv(TcatType.GET_NETWORK_NAME),
    "disconnect": TcatTlv(TcatType.DISCONNECT),
}
_CALLS = ("AdvSetData", "AdvUpdateData")


def recognises(document: object) -> bool:
    """Whether this is a life of adverts."""
    steps = document.get("steps") if isinstance(document, dict) else None
    return isinstance(steps, list) and any(
        isinstance(step, dict) and {"after", "events"} <= step.keys() for step in steps
    )


def check(document: dict[str, Any]) -> None:
    """Let it happen to our device; raises Mismatch. How often the same bytes are set again is free."""
    agent = TcatAgent(_profile(), lambda length: bytes(length))
    for index, step in enumerate(document["steps"]):
        member = f"steps[{index}]"
        expected = [_kept(f"{member}.events[{number}]", each) for number, each in enumerate(step["events"])]
        got = _words(_happen(agent, step["after"]), is_first=index == 0)
        compare_members(f"{member}.events", _once(expected), _once(got))


def _happen(agent: TcatAgent, after: str) -> Outputs:
    kind, _, rest = after.partition(": ")
    if kind == "connection":
        outputs = [*agent.connected(_PEER, _certificate(commissioner=True), 0)]
        for word in rest.split(", "):
            if word not in _COMMANDS:
                raise Mismatch("after", sorted(_COMMANDS), word)
            outputs += agent.receive(_COMMANDS[word].encode(), _PEER, 0)
        return outputs
    if after in ("became leader", "became router", "became child", "became detached", "became disabled"):
        attached = after.split()[1] in ("leader", "router", "child")
        return agent.node_changed(0, TcatNode(dataset=agent.node.dataset, attached=attached))
    intents = {"tcat start": agent.start, "tcat stop": agent.stop, "tcat standby": agent.standby}
    if after == "tcat activate":
        return agent.activate(0)
    if after not in intents:
        raise Mismatch("after", sorted(intents), after)
    return intents[after](0)


def _words(outputs: Outputs, *, is_first: bool) -> list[dict[str, str]]:
    words = []
    for output in outputs:
        match output:
            case TcatAdvertChanged(data=data):
                words.append({"call": _CALLS[not is_first], "data": data.hex()})
            case TcatAdvertStarted(interval_units=units):
                words.append({"call": "AdvStart", "data": f"{units:04x}"})
            case TcatAdvertStopped():
                words.append({"call": "AdvStop", "data": ""})
    return words


def _kept(member: str, event: dict[str, Any]) -> dict[str, Any]:
    if event.get("call") not in (*_CALLS, "AdvStart", "AdvStop"):
        raise Mismatch(f"{member}.call", "a call", event.get("call"))
    return event


def _once(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those that set the same bytes again."""
    return [event for event, _ in itertools.groupby(events)]


def _certificate(*, commissioner: bool) -> ThreadCertificate:
    rights = Authorization(is_commissioner=commissioner).encode()
    return ThreadCertificate(der=b"", spki=b"", extensions={AUTHORIZATION: b"\x04\x05" + rights})


def _profile() -> TcatProfile:
    return TcatProfile(certificate=_certificate(commissioner=False), device_id=bytes(8), border_router=True)
