"""Deadlines by key: order, moving, cancelling, and a heap that does not grow."""

from pairing.dnssd.timers import Timers, draw


def test_keys_fire_in_order_of_time_and_then_of_setting():
    timers: Timers[str] = Timers()
    for key, at in (("late", 9), ("a", 5), ("b", 5)):
        timers.set(key, at)

    assert timers.next == 5
    assert timers.due(5) == ["a", "b"]
    assert timers.due(8) == []
    assert timers.due(9) == ["late"]
    assert timers.next is None


def test_moved_deadline_fires_once_at_its_new_time_and_a_cancelled_one_never():
    timers: Timers[str] = Timers()
    timers.set("moved", 5)
    timers.set("moved", 7)
    timers.set("gone", 6)
    timers.cancel("gone")
    timers.cancel("never set")

    assert timers.next == 7
    assert timers.due(100) == ["moved"]
    assert timers.due(100) == []


def test_deadline_moved_a_thousand_times_takes_no_more_room():
    timers: Timers[str] = Timers()
    for at in range(1000):
        timers.set("key", 10_000 - at)

    assert len(timers._heap) < 100
    assert timers.due(10_000) == ["key"]


def test_draw_stays_within_its_bounds():
    assert draw(lambda length: b"\x00" * length, 20, 120) == 20
    assert draw(lambda length: (100).to_bytes(length, "big"), 20, 120) == 120
    assert draw(lambda length: (101).to_bytes(length, "big"), 20, 120) == 20
