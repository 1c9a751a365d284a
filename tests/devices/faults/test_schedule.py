"""Schedules: chosen frames by number, and the witness who writes them down."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import UsageError
from devices.faults.base import FaultContext, make_fault
from devices.faults.schedule import Copy, Hit, Witness, read_hits
from devices.sim.chance import Chance
from pairing.engine import Endpoint
from tests.support.media import flight

WAY = ("lan", "a", "b")


def _context() -> FaultContext:
    return FaultContext(Chance(1).stream("fault/test"))


def test_exactly_the_numbered_frame_of_its_way_is_hit() -> None:
    fault, context = make_fault("schedule", {"hits": [Hit(WAY, 2).as_table()]}), _context()
    ways = [("a", "b"), ("b", "a"), ("b", "a"), ("a", "b"), ("a", "b")]
    left = [len(fault.apply(flight(sender=sender, receiver=receiver), context)) for sender, receiver in ways]
    assert left == [1, 1, 1, 0, 1]


@given(
    st.binary(max_size=40),
    st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=40)), max_size=3),
)
def test_what_a_witness_saw_is_done_again(payload: bytes, copies: list[tuple[int, bytes]]) -> None:
    sent = flight(payload)
    survivors = [sent.delayed(after).carrying(other) for after, other in copies]
    witness = Witness()
    witness.apply(sent)
    witness.fate(sent, survivors)
    tables = [each.as_table() for each in witness.hits]
    assert list(read_hits(tables)) == witness.hits
    assert list(make_fault("schedule", {"hits": tables}).apply(sent, _context())) == survivors


def test_an_edit_says_what_was_done_rather_than_the_bytes() -> None:
    sent = flight(b"\x00\x00\x00")
    assert Copy.of(sent, sent.carrying(b"\x00\x81\x00")) == Copy(flip=(8, 15))
    assert Copy.of(sent, sent.carrying(b"\x00")) == Copy(length=1)
    assert Copy.of(sent, sent.delayed(7)) == Copy(after_us=7)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"medium": "lan", "from": "a", "nth": 1}, "medium, from and to are names"),
        ({"medium": "lan", "from": "a", "to": "b"}, "nth is a number from 1, not None"),
        ({"medium": "lan", "from": "a", "to": "b", "nth": 0}, "nth is a number from 1, not 0"),
        ({"medium": "lan", "from": "a", "to": "b", "nth": 1, "copy": []}, "there is no key 'copy'"),
        ({"medium": "lan", "from": "a", "to": "b", "nth": 1, "copies": [{"after_us": -1}]}, "after_us is a number"),
        ({"medium": "lan", "from": "a", "to": "b", "nth": 1, "copies": [{"payload": "xy"}]}, "hexadecimal"),
        ({"medium": "lan", "from": "a", "to": "b", "nth": 1, "copies": [{"flip": [-1]}]}, "flip is a list of bit"),
    ],
)
def test_a_wrong_hit_is_refused_by_name(table: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_fault("schedule", {"hits": [table]})


def test_multicast_dns_has_ways_of_its_own() -> None:
    """In real time strangers speak it, too; the frames of a client keep their numbers."""
    fault, context = (
        make_fault("schedule", {"hits": [Hit(WAY, 2).as_table(), Hit(("mdns", "a", "b"), 1).as_table()]}),
        _context(),
    )
    mdns = replace(flight(), source=Endpoint("192.0.2.9", 5353), to=Endpoint("224.0.0.251", 5353))
    socket = replace(flight(), source=Endpoint("192.0.2.9", 40_000), to=Endpoint("192.0.2.1", 49_191))
    left = [len(fault.apply(each, context)) for each in (socket, mdns, mdns, socket, mdns)]
    assert left == [1, 0, 1, 0, 1]
