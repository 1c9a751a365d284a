"""SAE Commit and Confirm, as bytes and as a peer plays them to the engine of `pairing.sae`."""

from collections.abc import Iterator

from pairing.errors import DecodeError, RemoteProtocolError
from pairing.ieee80211.elements import ElementId, ExtensionId
from pairing.sae.engine import SaeEngine
from pairing.sae.messages import SaeCommit, SaeConfirm, join_bodies, split_bodies
from pairing.sae.states import SaeState
from tests.fuzz.target import decoder
from tests.fuzz.targets.ieee80211 import values
from tests.support.pasn_pair import CAMERA, PHONE, token
from tests.support.recorded_entropy import seeded


def wrapped() -> Iterator[bytes]:
    """Recorded Wrapped Data: one body, or two with their lengths."""
    yield from values(ElementId.EXTENSION, ExtensionId.WRAPPED_DATA)


def pairs() -> Iterator[bytes]:
    """Those of frame 2."""
    for data in wrapped():
        try:
            split_bodies(data)
        except DecodeError:
            continue
        yield data


def confirming() -> tuple[SaeEngine, SaeConfirm]:
    """A side that waits for a Confirm, and the right one."""
    engine, peer = (SaeEngine(token(), *pair, seeded(pair)) for pair in ((PHONE, CAMERA), (CAMERA, PHONE)))
    own, other = engine.commit(), peer.commit()
    peer.receive_commit(own)
    engine.receive_commit(other)
    engine.confirm()
    return engine, peer.confirm()


def after_commit(data: bytes) -> SaeState:
    """Where a side stands that hears a Commit while it waits for one."""
    commit = SaeCommit.decode(data)
    engine = SaeEngine(token(), PHONE, CAMERA, seeded("phone"))
    engine.commit()
    try:
        engine.receive_commit(commit)
    except RemoteProtocolError:
        assert engine.state is SaeState.FAILED
        raise
    engine.confirm()
    return engine.state


def after_confirm(data: bytes) -> SaeState:
    """Where a side stands that hears a Confirm after the peer's Commit."""
    confirm = SaeConfirm.decode(data)
    engine, right = confirming()
    try:
        engine.receive_confirm(confirm)
    except RemoteProtocolError:
        assert engine.state is SaeState.FAILED
        raise
    assert (confirm.send_confirm, confirm.confirm) == (right.send_confirm, right.confirm)
    return engine.state


def commits() -> Iterator[bytes]:
    """A Commit made with the same password, and recorded ones."""
    yield SaeEngine(token(), CAMERA, PHONE, seeded("camera")).commit().encode()
    yield from wrapped()


def confirms() -> Iterator[bytes]:
    """The right Confirm, and recorded ones."""
    yield confirming()[1].encode()
    yield from (split_bodies(each)[1] for each in pairs())


ENGINE_ERRORS = (DecodeError, RemoteProtocolError)
TARGETS = (
    decoder("sae-commit", SaeCommit.decode, commits, encode=SaeCommit.encode),
    decoder("sae-confirm", SaeConfirm.decode, confirms, encode=SaeConfirm.encode),
    decoder("sae-bodies", split_bodies, pairs, encode=lambda bodies: join_bodies(*bodies)),
    decoder("sae-engine-commit", after_commit, commits, errors=ENGINE_ERRORS),
    decoder("sae-engine-confirm", after_confirm, confirms, errors=ENGINE_ERRORS),
)
