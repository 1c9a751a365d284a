"""Credential sharing by code: the Border Agent's second port and the client that types the code."""

import pytest

from pairing.dtls.events import ConnectionClosed, HandshakeCompleted, HandshakeFailed, HandshakeStarted
from pairing.engine import SECOND, Micros
from pairing.errors import AuthenticationError, LocalProtocolError, PeerRejectedError
from pairing.thread.border_agent import EPHEMERAL_LINK, BorderAgentSettings
from pairing.thread.border_agent_resources import ResourceLies
from pairing.thread.commissioner_states import FETCH_TABLE, FetchInput, FetchState
from pairing.thread.credential_fetch import CredentialFetch
from pairing.thread.ephemeral_key import EphemeralKeyState
from pairing.thread.meshcop_events import CredentialsFetched, FetchFailed, LieTold
from pairing.thread.network_events import (
    EphemeralKeyConnected,
    EphemeralKeyDeactivated,
    EphemeralKeyExpired,
    EphemeralKeyUsed,
)
from tests.support.meshcop_wire import PORTS, Client, Wire, last, only
from tests.support.raw_commissioner import RawSession
from tests.support.thread_network import DATASET, counting_entropy

CODE, OTHER = "123456784", "123456785"


def sharing(settings: BorderAgentSettings | None = None, *, lifetime: Micros = 120 * SECOND, lost: int = -1) -> Wire:
    """A border router that shares its credentials by `CODE`."""
    wire = Wire(settings=settings, lost={lost})
    wire.take(wire.network.activate_ephemeral_key(PORTS[EPHEMERAL_LINK].port, 0, lifetime=lifetime, code=CODE))
    wire.take(wire.agent.follow(0))
    return wire


def fetch(wire: Wire, code: str = CODE) -> tuple[CredentialFetch, Client]:
    """Somebody types a code."""
    engine = CredentialFetch(PORTS[EPHEMERAL_LINK], code, counting_entropy(len(wire.clients) + 50))
    client = wire.add(engine, EPHEMERAL_LINK)
    wire.do(client, engine.start)
    return engine, client


def test_the_right_code_brings_the_whole_dataset_and_is_used_up() -> None:
    wire = sharing()
    engine, client = fetch(wire)
    wire.run(SECOND)
    assert engine.state is FetchState.DONE
    fetched = last(client.events, CredentialsFetched)
    assert fetched.active == DATASET.encode()
    assert fetched.pending == b""
    assert (DATASET.network_key or b"").hex() not in repr(fetched)
    assert [type(each) for each in wire.events if type(each).__name__.startswith("EphemeralKey")][1:] == [
        EphemeralKeyConnected,
        EphemeralKeyUsed,
    ]
    assert wire.network.ephemeral_key.state is EphemeralKeyState.STOPPED
    again, later = fetch(wire)
    wire.run(10 * SECOND)
    assert again.state is FetchState.CONNECTING
    assert only(later.events, HandshakeCompleted) == []


def test_a_wrong_code_fails_as_authentication_and_leaves_the_key_open() -> None:
    wire = sharing()
    engine, client = fetch(wire, OTHER)
    wire.run(SECOND)
    assert engine.state is FetchState.FAILED
    assert isinstance(last(client.events, FetchFailed).error, AuthenticationError)
    assert OTHER not in repr(client.events)
    wire.run(2 * SECOND)
    right, _ = fetch(wire)
    wire.run(SECOND)
    assert right.state is FetchState.DONE


def test_one_connection_at_a_time() -> None:
    wire = sharing()
    first = RawSession(wire, link=EPHEMERAL_LINK, password=CODE.encode())
    engine, client = fetch(wire)
    wire.run(SECOND)
    assert only(client.events, HandshakeCompleted) == []
    assert engine.state is FetchState.CONNECTING
    assert len(wire.agent.sessions) == 1
    assert first.ask("c/ag")[0].payload == DATASET.encode()


def test_ten_failed_attempts_close_the_port() -> None:
    wire = sharing()
    for attempt in range(10):
        assert wire.network.ephemeral_key.state is EphemeralKeyState.STARTED, attempt
        fetch(wire, OTHER)
        wire.run(3 * SECOND)
    assert last(wire.events, EphemeralKeyDeactivated).reason == "too many failed attempts"
    started = len(only(wire.events, HandshakeStarted))
    fetch(wire)
    wire.run(3 * SECOND)
    assert len(only(wire.events, HandshakeStarted)) == started


def test_the_end_of_the_lifetime_cuts_a_live_commissioner_off() -> None:
    wire = sharing(lifetime=20 * SECOND)
    session = RawSession(wire, link=EPHEMERAL_LINK, password=CODE.encode())
    assert wire.network.ephemeral_key.state is EphemeralKeyState.CONNECTED
    session.petition()
    assert wire.network.ephemeral_key.state is EphemeralKeyState.ACCEPTED
    wire.run(20 * SECOND)
    assert only(wire.events, EphemeralKeyExpired)
    assert only(wire.events, EphemeralKeyUsed) == []
    assert last(session.client.events, ConnectionClosed).by_peer
    assert wire.agent.sessions == ()


def test_a_deactivated_key_ends_its_connection() -> None:
    wire = sharing()
    session = RawSession(wire, link=EPHEMERAL_LINK, password=CODE.encode())
    wire.take(wire.network.deactivate_ephemeral_key(wire.now))
    wire.take(wire.agent.follow(wire.now))
    wire.run(SECOND)
    assert last(session.client.events, ConnectionClosed).by_peer


def test_the_code_can_expire_in_the_middle_of_a_fetch() -> None:
    wire = sharing(BorderAgentSettings(lies=ResourceLies(expire_code=True)))
    engine, client = fetch(wire)
    wire.run(SECOND)
    assert engine.state is FetchState.FAILED
    assert isinstance(last(client.events, FetchFailed).error, PeerRejectedError)
    assert last(wire.events, LieTold).lie == "expire-code"
    assert only(wire.events, EphemeralKeyExpired)


def test_both_ports_serve_at_once_and_one_address_may_use_both() -> None:
    wire = sharing()
    main = RawSession(wire)
    code = RawSession(wire, link=EPHEMERAL_LINK, password=CODE.encode())
    assert [session.link for session in wire.agent.sessions] == ["", EPHEMERAL_LINK]
    tlv = main.petition("Alpha")
    assert code.ask("c/cp", b"\x0a\x04Beta")[1].payload.endswith(b"Alpha")
    assert main.ask("c/ca", b"\x10\x01\x01" + tlv)[1].payload == b"\x10\x01\x01"


def test_a_fetch_can_be_given_up_once_begun() -> None:
    wire = sharing()
    engine = CredentialFetch(PORTS[EPHEMERAL_LINK], CODE, counting_entropy(3))
    with pytest.raises(LocalProtocolError):
        engine.cancel(0)
    client = wire.add(engine, EPHEMERAL_LINK)
    wire.do(client, engine.start)
    with pytest.raises(LocalProtocolError):
        engine.start(0)
    wire.do(client, engine.cancel)
    assert engine.state is FetchState.FAILED
    assert last(client.events, FetchFailed)
    wire.run(10 * SECOND)
    assert engine.state is FetchState.FAILED


def test_no_state_of_a_fetch_leads_out_of_its_end() -> None:
    assert [pair for pair in FETCH_TABLE if pair[0].is_final] == []
    assert {FETCH_TABLE[pair] for pair in FETCH_TABLE if pair[1] is FetchInput.FAIL} == {FetchState.FAILED}


@pytest.mark.parametrize("number", range(22))
def test_each_lost_datagram_ends_in_the_dataset_or_in_a_failure(number: int) -> None:
    wire = sharing(lost=number)
    engine, client = fetch(wire)
    wire.run(130 * SECOND)
    if engine.state is FetchState.DONE:
        assert last(client.events, CredentialsFetched).active == DATASET.encode()
    else:
        assert engine.state is FetchState.FAILED
        assert only(client.events, FetchFailed) or only(client.events, HandshakeFailed)
    assert wire.agent.sessions == ()
    assert wire.network.ephemeral_key.key is None
