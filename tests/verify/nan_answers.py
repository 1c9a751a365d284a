"""The values that a recorded Wi-Fi Aware exchange names, as our device derived them, and the outcome that it told."""

import re
from collections.abc import Mapping

from pairing.engine import Event
from pairing.nan.attributes import (
    IdentityResolution,
    SecurityContextInfo,
    decode_attributes,
    find,
)
from pairing.nan.data_path_events import (
    DataPathClosed,
    DataPathFailed,
    DataPathOpened,
)
from pairing.nan.data_path_keys import body_of
from pairing.nan.data_path_side import DataPathSide
from pairing.nan.events import (
    BootstrappingCompleted,
    BootstrappingFailed,
)
from pairing.nan.frames import NanActionFrame, ServiceDiscoveryFrame
from pairing.nan.identifiers import BROADCAST
from pairing.nan.key_schedule import (
    authentication_token,
    nd_pmk_from_passphrase,
    nd_pmkid_input,
    nd_pmkid_published,
)
from pairing.nan.pairing_events import PairingCause, PairingCompleted, PairingFailed, PairingVerified
from pairing.pasn.messages import PasnFrame
from tests.verify.mismatch import Mismatch, compare
from tests.verify.nan_exchange import Exchange
from tests.verify.nan_sides import Document, PlayedSide, Recorded

Answers = dict[str, bytes]
INPUTS = ("events", "random_draws", "cached")


def compare_answers(exchange: Exchange) -> None:
    """Every recorded value of either side; raises Mismatch at the first that differs or is of no known name."""
    for role, side in exchange.sides.items():
        recorded, ours = side.file.recorded, _answers(exchange, role, side)
        for group in sorted({*recorded, *ours} - {*INPUTS, "nira"}):
            _compare_group(f"{role}.{group}", recorded.get(group, {}), ours.get(group, {}))
        _compare_niras(exchange, role, recorded.get("nira", []))
        _compare_outcome(exchange, role, side)


def _compare_group(member: str, recorded: Document, ours: Mapping[str, bytes]) -> None:
    """A file records every value that its device has, so that one which is gone differs, too."""
    for name in sorted({*recorded, *ours}):
        value = ours[name].hex() if name in ours else "no such value"
        compare(f"{member}.{name}", recorded.get(name, "no such member"), value)


def _answers(exchange: Exchange, role: str, side: PlayedSide) -> dict[str, Mapping[str, bytes]]:
    attempt, path = exchange.attempts.get(role), exchange.paths.get(role)
    answers: dict[str, Mapping[str, bytes]] = {"keys": _keys(exchange, role, side)}
    if attempt is not None:
        answers["pasn"] = attempt.intermediates.pasn
        answers["sae"] = attempt.intermediates.sae
        own, identity = attempt.attempt.own_key_data, attempt.attempt.peer_identity
        is_told = any(each.kind == "nik_followup" for each in side.file.own)
        told = {"own_key_data": own} if is_told else {}
        answers["nik_exchange"] = told if identity is None else {**told, "peer_key_data_padded": identity.key_data}
    if path is not None:
        answers["ndp"] = {**_of_request_alone(exchange, path.side), **path.side.intermediates}
    return answers


def _of_request_alone(exchange: Exchange, side: DataPathSide) -> Answers:
    """What a publisher knows of a request that its owner refused: its published key name, and the request's token."""
    terms = side.terms
    request = _first(exchange, "ndp_request")
    if not terms.suite or request is None:
        return {}
    body = body_of(request)
    named = nd_pmkid_input(BROADCAST, terms.responder_nmi, terms.service_id)
    passphrase = exchange.sides["responder"].file.secret("ndp_pass")
    answers = {"auth_token_input": body, "auth_token": authentication_token(terms.suite, body)}
    if passphrase is not None:
        pmk = nd_pmk_from_passphrase(terms.suite, passphrase.encode(), terms.service_id, terms.responder_nmi)
        published = nd_pmkid_published(terms.suite, pmk, terms.responder_nmi, terms.service_id)
        answers |= {"nd_pmkid_input": named, "nd_pmkid": published}
    return answers


def _keys(exchange: Exchange, role: str, side: PlayedSide) -> Answers:
    device, file = side.device, side.file
    session = next(iter(device.sessions.values()))
    answers: Answers = {
        "own_nmi": device.device.nmi,
        "own_ndi": file.settings().ndi,
        "cluster_id": device.device.cluster_id,
        "own_nik": device.nik,
        "service_id": session.service_id,
    }
    attempt = exchange.attempts.get(role)
    keys = None if attempt is None else attempt.attempt.keys
    if keys is not None:
        answers |= {"nm_kck": keys.nm_kck, "nm_tk": keys.nm_tk, "nm_kdk": keys.nm_kdk, "nd_pmk": keys.nd_pmk}
        identity = None if attempt is None else attempt.attempt.peer_identity
        if identity is not None:
            answers |= {"nm_kek": keys.nm_kek, "npk": keys.npk, "peer_nik": identity.nik}
    answers |= _passphrase_key(exchange, side, session.service_id)
    answers |= _data_path_keys(exchange, role)
    return answers


def _passphrase_key(exchange: Exchange, side: PlayedSide, service: bytes) -> Answers:
    passphrase, suite = side.file.secret("ndp_pass"), side.file.data_path_suite
    if passphrase is None or suite is None:
        return {}
    publisher = exchange.sides["responder"].device.device.nmi
    return {"nd_pmk_passphrase": nd_pmk_from_passphrase(suite, passphrase.encode(), service, publisher)}


def _data_path_keys(exchange: Exchange, role: str) -> Answers:
    path = exchange.paths.get(role)
    if path is None:
        return {}
    answers: Answers = {}
    if role == "responder":
        request = _first(exchange, "ndp_request")
        contexts = None if request is None else request.find(SecurityContextInfo)
        if contexts is not None:
            answers["nd_pmkid_rx"] = contexts.contexts[0].value
    told = path.side.peer_interface_id
    is_refused = role == "responder" and not any(
        isinstance(each, DataPathOpened) for each in exchange.sides[role].events
    )
    if told is not None and not is_refused:
        answers["peer_interface_id"] = told
    if path.side.exchange is None or not path.side.intermediates.get("tk"):
        return answers
    keys = path.side.keys
    answers["nd_tk"] = path.side.exchange.ptk.tk
    named = {
        "gtk": keys.own.gtk,
        "peer_gtk": keys.peer.gtk,
        "group_key_idx4_tx": keys.own.igtk,
        "group_key_idx6_tx": keys.own.bigtk,
        "group_key_idx4_rx": keys.peer.igtk,
        "group_key_idx6_rx": keys.peer.bigtk,
    }
    return answers | {name: value for name, value in named.items() if value is not None}


def _first(exchange: Exchange, kind: str) -> NanActionFrame | None:
    found = next((each.nan for each in exchange.frames if each.kind == kind), None)
    return found if isinstance(found, NanActionFrame) else None


# Identities.


def _compare_niras(exchange: Exchange, role: str, recorded: list[Document]) -> None:
    made = list(dict.fromkeys(each for frame in exchange.sides[role].file.own for each in _identities(frame)))
    if len(made) != len(recorded):
        raise Mismatch(f"{role}.nira", f"{len(recorded)} identities", f"{len(made)}")
    for index, (one, other) in enumerate(zip(recorded, made, strict=True)):
        compare(f"{role}.nira[{index}].nonce", one["nonce"], other.nonce.hex())
        compare(f"{role}.nira[{index}].tag", one["tag"], other.tag.hex())


def _identities(frame: Recorded) -> list[IdentityResolution]:
    """The NIRA in a frame of the file, which our own frame was equal to."""
    if frame.is_auth:
        found = find(decode_attributes(PasnFrame.decode(frame.header.body).nan or b""), IdentityResolution)
    else:
        nan = frame.nan
        found = nan.find(IdentityResolution) if isinstance(nan, ServiceDiscoveryFrame) else None
    return [] if found is None else [found]


# The outcome.


def _compare_outcome(exchange: Exchange, role: str, side: PlayedSide) -> None:
    told = [_recorded_outcome(event) for event in side.file.recorded["events"]]
    made = [_own_outcome(event) for event in exchange.events_at_end[role]]
    compare(f"{role}.events", [each for each in told if each], [each for each in made if each])


def _recorded_outcome(event: Document) -> str:
    """What the recorded device told its user of the outcome; empty for other news."""
    name, fields = event["name"], dict(re.findall(r"(\w+)=(\w+)", event["text"]))
    match name:
        case "pairing_result":
            return "paired" if fields["status"] == "0" else "pairing failed"
        case "bootstrap_completed":
            return "bootstrapped" if fields["success"] == "1" else "bootstrapping failed"
        case "ndp_connected":
            return "connected"
        case "ndp_disconnected":
            return "connection failed" if fields["failure"] == "1" else "disconnected"
    return ""


def _own_outcome(event: Event) -> str:
    match event:
        case PairingCompleted() | PairingVerified():
            return "paired"
        case PairingFailed() if event.cause is not PairingCause.DECLINED:
            return "pairing failed"
        case BootstrappingCompleted():
            return "bootstrapped"
        case BootstrappingFailed():
            return "bootstrapping failed"
        case DataPathOpened():
            return "connected"
        case DataPathFailed():
            return "connection failed"
        case DataPathClosed():
            return "disconnected"
    return ""
