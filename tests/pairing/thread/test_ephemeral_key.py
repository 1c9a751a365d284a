"""Ephemeral keys: codes with their check digit, and the life of one key."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import SECOND, Outputs
from pairing.errors import EncodeError, LocalProtocolError
from pairing.thread.ephemeral_key import (
    EPHEMERAL_KEY_TABLE,
    EphemeralKey,
    EphemeralKeyInput,
    EphemeralKeyState,
    check_digit,
    generate_code,
    is_valid_code,
)
from pairing.thread.network_events import EphemeralKeyActivated, EphemeralKeyDeactivated
from tests.support.thread_network import counting_entropy, names

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "thread" / "verhoeff.json").read_text())["vectors"]
CODE = "710190111"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: repr(vector["code"]))
def test_check_digit_agrees_with_openthread(vector: dict[str, object]) -> None:
    code = str(vector["code"])
    assert is_valid_code(code) is vector["valid"]
    if "openthread_check_digit" in vector and len(code) == 9 and code.isdigit():
        assert check_digit(code[:-1]) == vector["openthread_check_digit"]


@given(st.binary(min_size=6, max_size=6))
def test_generated_codes_are_valid(drawn: bytes) -> None:
    assert is_valid_code(generate_code(lambda length: drawn[:length]))


@given(st.integers(0, 10**8 - 1), st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_never_passes(number: int, place: int, shift: int) -> None:
    digits = f"{number:08d}"
    code = digits + check_digit(digits)
    wrong = code[:place] + str((int(code[place]) + shift) % 10) + code[place + 1 :]
    assert not is_valid_code(wrong)


@given(st.integers(0, 10**8 - 1), st.integers(0, 7))
def test_swapping_neighbours_never_passes(number: int, place: int) -> None:
    digits = f"{number:08d}"
    code = digits + check_digit(digits)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert swapped == code or not is_valid_code(swapped)


def key_in(state: EphemeralKeyState) -> EphemeralKey:
    key = EphemeralKey(enabled=state is not EphemeralKeyState.DISABLED)
    if state not in (EphemeralKeyState.DISABLED, EphemeralKeyState.STOPPED):
        key.activate(CODE, 5000, 0)
    if state in (EphemeralKeyState.CONNECTED, EphemeralKeyState.ACCEPTED):
        key.connect("phone", 1)
    if state is EphemeralKeyState.ACCEPTED:
        key.accept(1)
    assert key.state is state
    return key


INTENTS: dict[EphemeralKeyInput, Callable[[EphemeralKey], Outputs]] = {
    EphemeralKeyInput.ACTIVATE: lambda key: key.activate(CODE, 5001, 2),
    EphemeralKeyInput.DEACTIVATE: lambda key: key.deactivate(2),
    EphemeralKeyInput.CONNECT: lambda key: key.connect("other", 2),
    EphemeralKeyInput.ACCEPT: lambda key: key.accept(2),
    EphemeralKeyInput.END_SESSION: lambda key: key.end_session(2),
}


@pytest.mark.parametrize("state", list(EphemeralKeyState))
@pytest.mark.parametrize("by", list(INTENTS))
def test_every_move_is_in_the_table_or_refused_without_effect(state: EphemeralKeyState, by: EphemeralKeyInput) -> None:
    key = key_in(state)
    before = key.key
    if (state, by) in EPHEMERAL_KEY_TABLE:
        INTENTS[by](key)
        assert key.state is EPHEMERAL_KEY_TABLE[state, by]
    else:
        with pytest.raises(LocalProtocolError):
            INTENTS[by](key)
        assert (key.state, key.key) == (state, before)


def test_a_key_lives_120_seconds_and_at_most_600() -> None:
    key = EphemeralKey()
    (activated,) = key.activate(CODE, 5000, 0)
    assert activated == EphemeralKeyActivated(port=5000, lifetime=120 * SECOND, code=CODE)
    assert CODE not in repr(activated)
    assert CODE not in repr(key.key)
    assert key.handle_timeout(120 * SECOND - 1) == ()
    assert names(key.handle_timeout(120 * SECOND)) == ["EphemeralKeyExpired"]
    assert (key.state, key.port) == (EphemeralKeyState.STOPPED, 0)
    key.activate(CODE, 5000, 0, lifetime=3600 * SECOND)
    assert key.deadline == 600 * SECOND


@pytest.mark.parametrize("state", [EphemeralKeyState.CONNECTED, EphemeralKeyState.ACCEPTED])
def test_expiry_cuts_off_a_session(state: EphemeralKeyState) -> None:
    key = key_in(state)
    assert names(key.handle_timeout(120 * SECOND)) == ["EphemeralKeyExpired"]
    assert key.state is EphemeralKeyState.STOPPED


def test_a_key_is_used_up_by_one_session() -> None:
    key = key_in(EphemeralKeyState.CONNECTED)
    assert names(key.end_session(5)) == ["EphemeralKeyUsed"]
    assert (key.state, key.key) == (EphemeralKeyState.STOPPED, None)


def test_switching_off_ends_the_running_key() -> None:
    key = key_in(EphemeralKeyState.STARTED)
    assert names(key.switch(False, 5)) == ["EphemeralKeyDeactivated", "EphemeralKeySwitched"]
    assert key.state is EphemeralKeyState.DISABLED
    assert key.switch(False, 6) == ()


def test_the_tenth_failed_attempt_closes_the_key() -> None:
    key = key_in(EphemeralKeyState.STARTED)
    for attempt in range(9):
        assert key.attempt_failed(attempt * 3 * SECOND) == ()
    (closed,) = key.attempt_failed(27 * SECOND)
    assert closed == EphemeralKeyDeactivated(port=5000, reason="too many failed attempts")


def test_failures_closer_than_two_seconds_do_not_count() -> None:
    key = key_in(EphemeralKeyState.STARTED)
    for attempt in range(30):
        assert key.attempt_failed(attempt * SECOND // 20) == ()
    assert key.state is EphemeralKeyState.STARTED


@pytest.mark.parametrize("code", ["12345", "1" * 33, "12345\u00e9"])
def test_impossible_codes_are_refused(code: str) -> None:
    key = EphemeralKey()
    with pytest.raises(EncodeError):
        key.activate(code, 5000, 0)
    assert key.state is EphemeralKeyState.STOPPED


def test_entropy_decides_the_code() -> None:
    assert generate_code(counting_entropy(1)) == generate_code(counting_entropy(1))
    assert generate_code(counting_entropy(1)) != generate_code(counting_entropy(2))
