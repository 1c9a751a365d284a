"""Loss, repetition and damage on the way: each attempt ends on both sides, and never with two different keys."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import ExchangeTimeoutError
from pairing.pasn.events import PasnCompleted, PasnFailed, PasnMode
from pairing.pasn.settings import PasnTimes
from tests.support.pasn_pair import Pair


@pytest.mark.parametrize("mode", PasnMode)
@pytest.mark.parametrize("lost", [1, 2, 3])
def test_loss_of_any_frame_ends_both_sides(lost: int, mode: PasnMode) -> None:
    pair = Pair(mode, bend=lambda index, frame: () if index == lost else (frame,))
    pair.run()
    phone, camera = pair.endings
    assert [type(event) for event in phone] == [PasnCompleted if lost == 3 else PasnFailed]
    assert [type(event) for event in camera] == ([] if lost == 1 else [PasnFailed])
    for event in (*phone, *camera):
        if isinstance(event, PasnFailed):
            assert isinstance(event.error, ExchangeTimeoutError)


@pytest.mark.parametrize("lost", [{1}, {2}, {1, 2}])
def test_repeats_of_frame_1_survive_the_loss_of_frames_1_and_2(lost: set[int]) -> None:
    times = PasnTimes(repeats=2)
    pair = Pair(phone={"times": times}, bend=lambda index, frame: () if index in lost else (frame,))
    pair.run()
    (phone,), (camera,) = pair.endings
    assert isinstance(phone, PasnCompleted)
    assert isinstance(camera, PasnCompleted)
    assert phone.keys == camera.keys


def test_doubled_frames_change_nothing_but_the_keys_in_use() -> None:
    pair = Pair(PasnMode.CACHED, bend=lambda index, frame: (frame, frame))
    pair.run()
    phone, camera = pair.endings
    assert [type(event) for event in phone] == [PasnCompleted]
    # The second frame 1 made a second frame 2, and the phone had finished with the first by then.
    assert [type(event) for event in camera] == [PasnFailed]


FATES = st.lists(st.sampled_from(["deliver", "deliver", "drop", "double", "damage", "late"]), min_size=8, max_size=8)


@given(FATES, st.sampled_from([PasnMode.CACHED, PasnMode.OPPORTUNISTIC]), st.integers(0, 3), st.integers(0, 500))
def test_whatever_happens_on_the_way_both_sides_agree_or_fail(
    fates: list[str], mode: PasnMode, repeats: int, place: int
) -> None:
    held: list[bytes] = []

    def bend(index: int, frame: bytes) -> Sequence[bytes]:
        fate = fates[(index - 1) % len(fates)]
        late, held[:] = held[:], []
        if fate == "late":
            held.append(frame)
            return late
        damaged = bytearray(frame)
        damaged[24 + place % (len(frame) - 24)] ^= 1 << place % 8
        copies = {"deliver": (frame,), "drop": (), "double": (frame, frame), "damage": (bytes(damaged),)}[fate]
        return (*copies, *late)

    pair = Pair(mode, phone={"times": PasnTimes(repeats=repeats)}, bend=bend)
    pair.run()
    phone, camera = pair.endings
    assert len(phone) == 1
    keys = [event.keys for event in (*phone, *camera) if isinstance(event, PasnCompleted)]
    if len(keys) == 2:
        assert keys[0] == keys[1]
    assert len([event for event in camera if isinstance(event, PasnCompleted)]) <= 1
