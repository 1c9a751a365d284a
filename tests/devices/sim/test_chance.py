"""Chance: one seed, one stream per purpose."""

import subprocess
import sys

from devices.sim.chance import MAX_SEED, Chance


def test_the_same_seed_and_purpose_give_the_same_draws() -> None:
    assert Chance(7).stream("air").randbytes(32) == Chance(7).stream("air").randbytes(32)


def test_purposes_do_not_share_a_stream() -> None:
    chance = Chance(7)
    assert chance.stream("accessory/lamp").randbytes(16) != chance.stream("accessory/lock").randbytes(16)


def test_seeds_do_not_share_a_stream() -> None:
    assert Chance(1).stream("air").randbytes(16) != Chance(2).stream("air").randbytes(16)


def test_seed_and_purpose_cannot_be_confused() -> None:
    assert Chance(1).stream("1/x").randbytes(16) != Chance(11).stream("/x").randbytes(16)


def test_drawing_from_one_stream_leaves_the_others_alone() -> None:
    chance = Chance(3)
    expected = chance.stream("lock").randbytes(16)
    chance.stream("lamp").randbytes(1_000)
    assert chance.stream("lock").randbytes(16) == expected


def test_a_drawn_seed_is_one_that_can_be_given_again() -> None:
    drawn = Chance.drawn()
    assert 0 <= drawn.seed <= MAX_SEED
    assert Chance(drawn.seed).stream("x").random() == drawn.stream("x").random()


def test_draws_do_not_depend_on_the_hash_seed_of_the_process() -> None:
    code = "from devices.sim.chance import Chance; print(Chance(5).stream('accessory/br').randbytes(8).hex())"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert seen == {Chance(5).stream("accessory/br").randbytes(8).hex() + "\n"}
