"""SAE as a dialogue of two engines, what it refuses, and its table."""

from dataclasses import replace
from hashlib import shake_256

import pytest

from pairing.crypto.curves import P256
from pairing.errors import AuthenticationError, LocalProtocolError, PairingError, RemoteProtocolError
from pairing.sae.engine import SaeEngine
from pairing.sae.hash_to_element import derive_password_token
from pairing.sae.messages import SaeCommit
from pairing.sae.states import TRANSITIONS, SaeInput, SaeState
from tests.support.pasn_pair import CAMERA, PHONE, entropy, token


def pair(one: str = "horse", other: str = "horse", group: int = 19) -> tuple[SaeEngine, SaeEngine]:
    return (
        SaeEngine(token(one, group), PHONE, CAMERA, entropy("one")),
        SaeEngine(token(other, group), CAMERA, PHONE, entropy("other")),
    )


def exchange_commits(one: SaeEngine, other: SaeEngine) -> None:
    first, second = one.commit(), other.commit()
    one.receive_commit(second)
    other.receive_commit(first)


@pytest.mark.parametrize("group", [19, 20])
def test_equal_passwords_give_equal_keys(group: int) -> None:
    one, other = pair(group=group)
    exchange_commits(one, other)
    one.receive_confirm(other.confirm())
    other.receive_confirm(one.confirm())
    assert (one.pmk, one.pmkid) == (other.pmk, other.pmkid)
    assert (len(one.pmk), len(one.pmkid)) == (32, 16)
    assert one.state is other.state is SaeState.ACCEPTED


def test_other_password_shows_in_the_confirm() -> None:
    one, other = pair("horse", "house")
    exchange_commits(one, other)
    assert one.pmkid == other.pmkid  # it depends on the scalars alone
    assert one.pmk != other.pmk
    with pytest.raises(AuthenticationError, match="another password"):
        one.receive_confirm(other.confirm())
    assert one.state is SaeState.FAILED


def test_two_exchanges_share_no_key() -> None:
    keys = []
    for seed in ("a", "b"):
        one = SaeEngine(token(), PHONE, CAMERA, entropy(seed))
        other = SaeEngine(token(), CAMERA, PHONE, entropy(seed + "x"))
        exchange_commits(one, other)
        keys.append(one.pmk)
    assert keys[0] != keys[1]


def bad_commits(good: SaeCommit, own: SaeCommit) -> dict[str, tuple[SaeCommit, int]]:
    """Commits that the standard refuses, with the status that answers each."""
    other_group = SaeEngine(token("horse", 20), CAMERA, PHONE, entropy("g20")).commit()
    return {
        "not by hash-to-element": (replace(good, status=0), 1),
        "another group": (other_group, 77),
        "scalar 0": (replace(good, scalar=bytes(32)), 1),
        "scalar 1": (replace(good, scalar=P256.encode_number(1)), 1),
        "scalar q": (replace(good, scalar=P256.encode_number(P256.q)), 1),
        "element off the curve": (replace(good, element=good.element[:-1] + bytes((good.element[-1] ^ 1,))), 1),
        "element at infinity": (replace(good, element=bytes(64)), 1),
        "our own": (own, 1),
    }


@pytest.mark.parametrize("name", list(bad_commits(SaeCommit(19, b"", bytes(64)), SaeCommit(19, b"", b""))))
def test_commit_that_the_standard_refuses_is_answered_with_its_status(name: str) -> None:
    one, other = pair()
    bad, status = bad_commits(other.commit(), one.commit())[name]
    with pytest.raises(RemoteProtocolError) as caught:
        one.receive_commit(bad)
    assert caught.value.wire_code == status
    assert one.state is SaeState.FAILED


def test_commit_that_leads_to_infinity_is_refused() -> None:
    one, _ = pair()
    one.commit()
    scalar = 12345
    pwe = token("horse").pwe(PHONE, CAMERA)
    element = P256.encode_point(-(pwe * scalar))
    with pytest.raises(RemoteProtocolError, match="infinity"):
        one.receive_commit(SaeCommit(19, P256.encode_number(scalar), element))


def test_sum_without_use_is_drawn_again() -> None:
    draws = iter([P256.encode_number(number) for number in (5, P256.q - 4, 5, 6)])
    engine = SaeEngine(token(), PHONE, CAMERA, lambda length: next(draws))
    assert engine.commit().scalar == P256.encode_number(11)


def stand(state: SaeState) -> SaeEngine:
    """An engine in the state."""
    one, other = pair()
    if state is SaeState.NOTHING:
        return one
    commit = one.commit()
    if state is SaeState.COMMITTED:
        return one
    one.receive_commit(other.commit())
    other.receive_commit(commit)
    if state is SaeState.ACCEPTED:
        one.receive_confirm(other.confirm())
    if state is SaeState.FAILED:
        with pytest.raises(AuthenticationError):
            one.receive_confirm(replace(other.confirm(), confirm=bytes(32)))
    assert one.state is state
    return one


CALLS = {
    SaeInput.COMMIT_MADE: lambda engine: engine.commit(),
    SaeInput.COMMIT_RECEIVED: lambda engine: engine.receive_commit(pair()[1].commit()),
    SaeInput.CONFIRM_MADE: lambda engine: engine.confirm(),
    SaeInput.CONFIRM_RECEIVED: lambda engine: engine.receive_confirm(pair_confirm()),
}


def pair_confirm() -> object:
    one, other = pair()
    exchange_commits(one, other)
    return other.confirm()


@pytest.mark.parametrize("state", SaeState)
@pytest.mark.parametrize("call", CALLS)
def test_call_outside_the_table_raises_and_leaves_the_state(state: SaeState, call: SaeInput) -> None:
    engine = stand(state)
    expected = TRANSITIONS.get((state, call))
    if expected is None:
        with pytest.raises(LocalProtocolError):
            CALLS[call](engine)
        assert engine.state is state
    else:
        CALLS[call](engine)
        assert engine.state is expected


def test_keys_before_the_peers_commit_are_the_callers_mistake() -> None:
    one, _ = pair()
    one.commit()
    assert not one.has_keys
    with pytest.raises(LocalProtocolError):
        _ = one.pmk


def test_no_hostile_commit_escapes_as_another_error() -> None:
    for seed in range(50):
        one, _ = pair()
        one.commit()
        octets = shake_256(str(seed).encode()).digest(96)
        with pytest.raises(PairingError):
            one.receive_commit(SaeCommit(19, octets[:32], octets[32:]))


def test_token_can_be_shared_by_many_exchanges() -> None:
    shared = derive_password_token(19, b"ssid", b"password")
    commits = {SaeEngine(shared, PHONE, CAMERA, entropy(seed)).commit().element for seed in range(5)}
    assert len(commits) == 5
