"""The commissioner's engine against a device's: commissioning, proofs both ways, refusals, silence, nonsense."""

from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import SECOND, Outputs, Transmit
from pairing.thread.tcat.commissioner import TcatCommissioner
from pairing.thread.tcat.device import TcatAgent
from pairing.thread.tcat.events import TcatAnswerReceived, TcatDeviceProved
from pairing.thread.tcat.profile import TcatNode
from pairing.thread.tcat.tlvs import TcatType
from tests.support.tcat import DATASET, PEER, SPKI, connected, names


def commissioner() -> TcatCommissioner:
    return TcatCommissioner("device", SPKI, bytes)


def talk(own: TcatCommissioner, device: TcatAgent, outputs: Outputs) -> list[str]:
    """Carry bytes to and fro until nobody has more to say; the answers as `command: status`."""
    answers, queue = [], [(True, each) for each in outputs]
    while queue:
        to_device, output = queue.pop(0)
        match output:
            case Transmit(payload=payload):
                more = device.receive(payload, PEER, 0) if to_device else own.receive(payload, "device", 0)
                queue += [(not to_device, each) for each in more]
            case TcatAnswerReceived(command=command, status=status):
                answers.append(f"{command}: {status}")
            case TcatDeviceProved(proved=proved):
                answers.append(f"proved: {proved}")
    return answers


def test_it_commissions_and_starts() -> None:
    own, device = commissioner(), connected()
    answers = talk(own, device, own.commission(DATASET.encode(), 0))
    assert answers == ["set-active-dataset: success", "thread-start: success"]
    assert device.node.dataset == DATASET


def test_what_follows_a_refusal_is_not_asked() -> None:
    own, device = commissioner(), connected(TcatNode(dataset=DATASET))
    assert talk(own, device, own.commission(DATASET.encode(), 0)) == ["set-active-dataset: invalid-state"]
    assert not own.is_busy


def test_it_proves_and_has_the_device_prove() -> None:
    own, device = commissioner(), connected(install_code="Install")
    right = ["get-challenge: payload", "present-pskd-proof: success"]
    assert talk(own, device, own.prove("pskd", b"J01NME", 0)) == right
    assert talk(own, device, own.prove("install-code", b"no", 0))[1] == "present-install-code-proof: proof-wrong"
    assert talk(own, device, own.check_pskd("J01NME", 0)) == ["request-pskd-proof: payload", "proved: True"]
    assert talk(own, device, own.check_pskd("WR0NG1", 0)) == ["request-pskd-proof: payload", "proved: False"]


def test_an_answer_that_does_not_come_is_given_up() -> None:
    own = commissioner()
    own.commission(DATASET.encode(), 0)
    assert own.handle_timeout(SECOND) == ()
    assert names(own.handle_timeout(5 * SECOND)) == ["TcatCommandTimedOut"]
    assert own.deadline is None


def test_disconnect_drops_what_was_to_come() -> None:
    own, device = commissioner(), connected()
    own.commission(DATASET.encode(), 0)
    assert talk(own, device, own.disconnect(0)) == []
    assert device.state == "active"
    assert not own.is_busy


@given(st.binary(max_size=60))
def test_any_answer_is_an_event_and_nothing_is_lost(data: bytes) -> None:
    own = commissioner()
    own.command(TcatType.PING, 0, b"x")
    own.receive(data, "device", 0)
    fresh = commissioner()
    fresh.command(TcatType.PING, 0, b"x")
    assert names(fresh.receive(b"\x02\x01x", "device", 0)) == ["TcatAnswerReceived"]
