"""Dialogues recorded with Mbed TLS: our side does again what it did, octet for octet, in the same order of events."""

import json
from pathlib import Path
from typing import Any

import pytest

from pairing.dtls.client import DtlsClient
from pairing.dtls.events import AlertSent, HandshakeCompleted
from pairing.dtls.server import DtlsServer
from pairing.dtls.settings import OPENTHREAD_JOINER_HELLO, OT_COMMISSIONER_HELLO, DtlsSettings, DtlsTimes
from pairing.engine import Endpoint, Event, Outputs, Transmit
from tests.support.recorded_entropy import RecordedEntropy

FILES = sorted((Path(__file__).parents[2] / "vectors" / "dtls").glob("*.json"))
PEER = Endpoint("192.0.2.1", 5)
HELLOS = {"joiner": OPENTHREAD_JOINER_HELLO, "commissioner": OT_COMMISSIONER_HELLO}


def ask(side: DtlsClient | DtlsServer, step: dict[str, Any]) -> Outputs:
    now, data = step["at_us"], bytes.fromhex(step.get("data", ""))
    match (side, step["do"]):
        case (DtlsClient(), "start"):
            return side.start(now)
        case (_, "receive"):
            return side.receive(data, PEER, now)
        case (_, "timeout"):
            return side.handle_timeout(now)
        case (DtlsClient(), "send"):
            return side.send(data, now)
        case (DtlsServer(), "send"):
            return side.send(PEER, data, now)
        case (DtlsClient(), "close"):
            return side.close(now)
    raise AssertionError(f"unknown step {step['do']}")


def replay(file: Path) -> tuple[dict[str, Any], list[Event]]:
    dialogue = json.loads(file.read_text())
    draws = RecordedEntropy(bytes.fromhex(each) for each in dialogue["draws"])
    settings = DtlsSettings(
        client_hello=HELLOS[dialogue["hello"]],
        mtu=dialogue["mtu"],
        cookie_exchange=dialogue["cookie_exchange"],
        times=DtlsTimes(first_wait=dialogue["first_wait_us"], longest_wait=dialogue["longest_wait_us"]),
    )
    password = dialogue["password"].encode()
    side: DtlsClient | DtlsServer = (
        DtlsClient(PEER, password, draws, settings)
        if dialogue["role"] == "client"
        else DtlsServer(password, draws, settings)
    )
    events: list[Event] = []
    for step in dialogue["steps"]:
        outputs = ask(side, step)
        assert [each.payload.hex() for each in outputs if isinstance(each, Transmit)] == step["sends"], step["at_us"]
        events += [each for each in outputs if not isinstance(each, Transmit)]
    assert not draws.draws
    return dialogue, events


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_recorded_dialogue_is_the_same_again(file: Path) -> None:
    dialogue, events = replay(file)
    assert [type(each).__name__ for each in events] == dialogue["events"]
    assert sum(isinstance(each, HandshakeCompleted) for each in events) == 1


@pytest.mark.parametrize("name", ["server_renegotiates", "client_renegotiates"])
def test_renegotiation_is_refused_with_a_warning_under_protection(name: str) -> None:
    _, events = replay(next(file for file in FILES if file.stem == name))
    alert = next(each for each in events if isinstance(each, AlertSent))
    assert (alert.alert.name, alert.alert.is_fatal, alert.is_encrypted) == ("no_renegotiation", False, True)
