"""SAE bodies: Commit, Confirm, and both in one Wrapped Data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError, EncodeError, RemoteProtocolError
from pairing.ieee80211.elements import find_element, split_elements
from pairing.sae.messages import SaeCommit, SaeConfirm, join_bodies, require_hash_to_element, split_bodies
from tests.support.pasn_captures import FOLDER, auth_frames, load

U16 = st.integers(0, 0xFFFF)
COMMITS = st.sampled_from([(19, 32), (20, 48)]).flatmap(
    lambda group: st.builds(
        SaeCommit,
        st.just(group[0]),
        st.binary(min_size=group[1], max_size=group[1]),
        st.binary(min_size=2 * group[1], max_size=2 * group[1]),
        U16,
        st.binary(max_size=10),
    )
)


def wrapped(number: int) -> list[bytes]:
    """The Wrapped Data of all captured frames with this number."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        frame = auth_frames(load(path.stem)).get(number)
        element = None if frame is None else find_element(split_elements(frame[30:]), 255, 8)
        if element is not None:
            found.append(element.body)
    return found


def test_captured_bodies_encode_to_their_octets() -> None:
    assert len(wrapped(1)) >= 5
    for body in wrapped(1):
        assert SaeCommit.decode(body).encode() == body
        require_hash_to_element(SaeCommit.decode(body))
    for body in wrapped(2):
        commit, confirm = split_bodies(body)
        assert join_bodies(SaeCommit.decode(commit).encode(), SaeConfirm.decode(confirm).encode()) == body
    for body in wrapped(3):
        assert SaeConfirm.decode(body).encode() == body
        assert SaeConfirm.decode(body).send_confirm == 1


@given(COMMITS)
def test_commits_round_trip(commit: SaeCommit) -> None:
    assert SaeCommit.decode(commit.encode()) == commit


@given(st.builds(SaeConfirm, U16, st.binary(max_size=50), U16))
def test_confirms_round_trip(confirm: SaeConfirm) -> None:
    assert SaeConfirm.decode(confirm.encode()) == confirm


@given(st.binary(max_size=150), st.sampled_from([b"", b"\x03\x00\x01\x00\x7e\x00\x13\x00", b"\x03\x00\x02\x00"]))
def test_arbitrary_octets_raise_only_decode_errors(tail: bytes, head: bytes) -> None:
    for codec in (SaeCommit, SaeConfirm):
        try:
            decoded = codec.decode(head + tail)
        except DecodeError:
            continue
        assert decoded.encode() == head + tail


@given(st.binary(max_size=40))
def test_arbitrary_wrapped_data_raise_only_decode_errors(data: bytes) -> None:
    try:
        bodies = split_bodies(data)
    except DecodeError:
        return
    assert join_bodies(*bodies) == data


@pytest.mark.parametrize("status", [0, 1, 127])
def test_commit_without_hash_to_element_is_refused_with_status_1(status: int) -> None:
    with pytest.raises(RemoteProtocolError, match="hash-to-element") as caught:
        require_hash_to_element(SaeCommit(19, bytes(32), bytes(64), status))
    assert caught.value.wire_code == 1


def test_unknown_group_and_swapped_bodies_are_decode_errors() -> None:
    with pytest.raises(DecodeError, match="group 21"):
        SaeCommit.decode(bytes.fromhex("030001007e001500") + bytes(200))
    with pytest.raises(DecodeError, match="transaction"):
        SaeCommit.decode(SaeConfirm(1, bytes(32)).encode())
    with pytest.raises(EncodeError):
        SaeConfirm(0x10000, b"").encode()
