"""Bootstrapping against recorded exchanges of an independent implementation: every message of either side."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from pairing.engine import Event, Micros, Output
from pairing.nan.attributes import BootstrappingMethods, PairingBootstrapping, encode_attribute
from pairing.nan.bootstrapping import Bootstrapping
from pairing.nan.bootstrapping_rules import REFERENCE_PEER, BootstrappingProfile
from pairing.nan.discovery import Discovery
from pairing.nan.events import BootstrappingCompleted, BootstrappingFailed, BootstrappingRequested
from pairing.nan.sessions import Publish
from tests.support.nan_capture import Capture, Frame, captures, sent

BOOTSTRAPPED = [
    name
    for name, capture in captures().items()
    if any(frame.kind.startswith("bootstrap_request") for frame in capture.frames)
]


def messages(capture: Capture) -> list[Frame]:
    return [frame for frame in capture.frames if frame.kind.startswith("bootstrap_")]


def npba(frame: Frame) -> PairingBootstrapping:
    return frame.sdf.find_all(PairingBootstrapping)[-1]


def entropy_of(draws: list[bytes]) -> Callable[[int], bytes]:
    """Hands out the recorded draws of each length in order; bootstrapping is the only one to draw four octets."""
    left = list(draws)

    def draw(length: int) -> bytes:
        return left.pop(next(place for place, each in enumerate(left) if len(each) == length))

    return draw


def profile_of(capture: Capture) -> BootstrappingProfile:
    """The recorded peer, with the comeback time it was configured with."""
    told = [npba(frame).comeback_after for frame in messages(capture) if npba(frame).comeback_after is not None]
    return BootstrappingProfile(
        comeback_unit=REFERENCE_PEER.comeback_unit,
        does_ignore_request_without_cookie=True,
        comeback_after=told[0] if told and told[0] is not None else 1024,
    )


def engine_of(capture: Capture, role: str) -> Bootstrapping:
    discovery = Discovery(capture.device(role))
    session = capture.session(role)
    _ = discovery.publish(session, 0) if isinstance(session, Publish) else discovery.subscribe(session, 0)
    return Bootstrapping(discovery, entropy_of(capture.draws(role)), profile_of(capture))


def replay_initiator(capture: Capture) -> tuple[list[Output], Bootstrapping]:
    engine = engine_of(capture, "initiator")
    outputs: list[Output] = []
    for frame in messages(capture):
        if frame.sender == "responder":
            outputs += engine.receive(frame.octets, capture.nmi("responder"), frame.at)
        elif not outputs:
            of, message = frame.descriptor, npba(frame)
            outputs += engine.request(
                of.instance_id,
                frame.sdf.destination,
                of.requestor_instance_id,
                BootstrappingMethods(capture.document["parameters"].get("initiator_method_bitmap", 1)),
                frame.at,
                offered=capture.advertised_methods,
                dialog_token=message.dialog_token,
            )
        else:
            assert engine.deadline is not None
            assert engine.deadline <= frame.at, "a repetition is due by the time that the recorded one was sent"
            outputs += engine.handle_timeout(frame.at)
    return outputs, engine


def replay_responder(capture: Capture) -> tuple[list[Output], Bootstrapping]:
    engine = engine_of(capture, "responder")
    peer = capture.nmi("initiator")
    outputs: list[Output] = []
    for frame, answer in pairwise([*messages(capture), messages(capture)[-1]]):
        if frame.sender == "initiator":
            if answer.kind == "bootstrap_response" and peer in engine.waiting_for_user:
                outputs += engine.accept(peer, frame.at - 1)  # the user said yes since the last answer
            outputs += engine.receive(frame.octets, peer, frame.at)
    return outputs, engine


def hexes(capture: Capture, role: str) -> list[str]:
    return [frame.octets.hex() for frame in messages(capture) if frame.sender == role]


def outcome(capture: Capture, role: str) -> list[type[Event]]:
    """What the recorded device told its user, as our events."""
    news: list[type[Event]] = []
    for each in capture.document[role]["events"]:
        if each["name"] == "bootstrap_request":
            news.append(BootstrappingRequested)
        elif each["name"] == "bootstrap_completed":
            news.append(BootstrappingCompleted if "success=1" in each["text"] else BootstrappingFailed)
    return news


@pytest.mark.parametrize("name", BOOTSTRAPPED)
def test_every_request_of_the_initiator_is_reproduced(name: str) -> None:
    outputs, _ = replay_initiator(captures()[name])
    assert sent(outputs) == hexes(captures()[name], "initiator")


@pytest.mark.parametrize("name", BOOTSTRAPPED)
def test_every_answer_of_the_responder_is_reproduced(name: str) -> None:
    outputs, _ = replay_responder(captures()[name])
    assert sent(outputs) == hexes(captures()[name], "responder")


@pytest.mark.parametrize("name", BOOTSTRAPPED)
def test_both_ends_tell_what_the_recorded_devices_told(name: str) -> None:
    capture = captures()[name]
    kinds = (BootstrappingRequested, BootstrappingCompleted, BootstrappingFailed)
    for role, (outputs, _) in (("initiator", replay_initiator(capture)), ("responder", replay_responder(capture))):
        assert [type(each) for each in outputs if isinstance(each, kinds)] == outcome(capture, role)


@pytest.mark.parametrize(
    "name",
    [
        each
        for each in BOOTSTRAPPED
        if captures()[each].of("initiator", "auth1") and not each.startswith("pairing_rejected")
    ],
)
def test_agreement_has_the_attribute_that_pasn_frames_copy(name: str) -> None:
    capture = captures()[name]
    for replay, role, peer, kind in (
        (replay_initiator, "initiator", "responder", "auth1"),
        (replay_responder, "responder", "initiator", "auth2"),
    ):
        if not capture.of(role, kind):
            continue
        agreement = replay(capture)[1].agreement(capture.nmi(peer))
        assert agreement is not None
        assert encode_attribute(agreement.npba) in capture.of(role, kind)[0].octets


def test_the_initiator_without_authorisation_goes_on_coming_back() -> None:
    capture = captures()["bootstrap_no_authorization_01"]
    outputs, engine = replay_initiator(capture)
    last: Micros = capture.frames[-1].at
    assert engine.is_in_progress(capture.nmi("responder"))
    assert engine.deadline == last + 200_000
    assert not any(isinstance(each, BootstrappingFailed) for each in outputs)


def test_a_rejected_method_names_rule_and_reason() -> None:
    outputs, _ = replay_initiator(captures()["bootstrap_rejected_01"])
    (failed,) = [each for each in outputs if isinstance(each, BootstrappingFailed)]
    assert (failed.error, failed.reason) == ("PeerRejectedError", 13)
    assert failed.hint == "the peer did not advertise this method"
    outputs, _ = replay_responder(captures()["bootstrap_rejected_01"])
    (failed,) = [each for each in outputs if isinstance(each, BootstrappingFailed)]
    assert (failed.error, failed.rule, failed.came) == ("NegotiationError", "bootstrapping method", "0x0020")
