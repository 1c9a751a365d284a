"""Engines on a wire in virtual time, stopped before any datagram for a hostile one to come first.

A `Dialogue` says who plays, and how it must end; `engine_target` makes a fuzz target of it. Its input is a place in the
undisturbed dialogue (one octet), who hears it and from whom it seems to come (one octet), and what is heard. Then
the dialogue goes on: nothing may raise, time must not stand still, and whoever only ignored what it heard completes
as if nothing had come.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

from pairing.engine import SECOND, Address, Endpoint, Engine, Event, FrameIgnored, Micros, Outputs, Transmit
from tests.fuzz.target import Seeds, Target

LATENCY: Micros = 1_000
MOST_STEPS = 20_000
PATIENCE = 50
"""How often an engine may be called at one moment before its time stands still."""
GROUP_HOSTS = ("224.0.0.251", "ff02::fb")


def no_answer(event: Event, now: Micros) -> Outputs:
    """An owner that does nothing."""
    return ()


@dataclass(eq=False)
class Party:
    """One engine, the addresses at which it is reached, and its owner, who answers events."""

    engine: Engine
    source: Address
    addresses: tuple[Address, ...] = ()
    owner: Callable[[Event, Micros], Outputs] = no_answer
    events: list[Event] = field(default_factory=list)

    def has(self, *kinds: type[Event]) -> bool:
        """Whether an event of one of these kinds was reported."""
        return any(isinstance(event, kinds) for event in self.events)

    def hears(self, to: Address) -> bool:
        """Whether what is sent to that address is for it."""
        return to == self.source or to in self.addresses or is_group(to)


def is_group(address: Address) -> bool:
    """Whether more than one may listen there."""
    if isinstance(address, Endpoint):
        return address.host in GROUP_HOSTS
    return isinstance(address, bytes) and bool(address[0] & 1)


@dataclass(frozen=True)
class Sent:
    """A datagram that was carried, in which step of the dialogue, and between whom."""

    step: int
    receiver: int
    sender: int
    payload: bytes


class Stage:
    """The parties, what is under way between them, and the time; nothing happens but in `step`."""

    def __init__(self, *parties: Party, horizon: Micros = 300 * SECOND) -> None:
        self.now: Micros = 0
        self.parties = list(parties)
        self.carried: list[Sent] = []
        self.horizon = horizon
        self._flights: deque[tuple[Micros, Party, Party, bytes]] = deque()
        self._steps = 0

    def do(self, party: Party, outputs: Outputs) -> None:
        """Perform what an engine put out, checked for its form."""
        for output in outputs:
            assert isinstance(output, Transmit | Event), f"an engine put out {type(output).__name__}"
            if isinstance(output, Event):
                assert repr(output)
                party.events.append(output)
                self.do(party, party.owner(output, self.now))
                continue
            assert isinstance(output.payload, bytes)
            for other in self.parties:
                if other is not party and other.hears(output.to):
                    self._flights.append((self.now + LATENCY, other, party, output.payload))

    def step(self) -> bool:
        """Carry the next datagram, or go to the next deadline; False if nothing is due before the horizon."""
        self._steps += 1
        assert self._steps <= MOST_STEPS, "the dialogue does not end"
        due = self._next_deadline()
        if self._flights and self._flights[0][0] <= due:
            at, party, other, payload = self._flights.popleft()
            self.now = max(self.now, at)
            self.carried.append(Sent(self._steps - 1, self.parties.index(party), self.parties.index(other), payload))
            self.do(party, party.engine.receive(payload, _seen(other, party), self.now))
            return True
        if due > self.horizon:
            return False
        self._pass_time(max(self.now, due))
        return True

    def hear(self, receiver: int, sender: int, payload: bytes) -> Outputs:
        """One party hears hostile bytes that seem to come from another."""
        party, other = self.parties[receiver], self.parties[sender]
        outputs = party.engine.receive(payload, _seen(other, party), self.now)
        self.do(party, outputs)
        return outputs

    def play(self) -> None:
        """Go on until nothing is due."""
        while self.step():
            pass

    def _next_deadline(self) -> Micros:
        deadlines = [party.engine.deadline for party in self.parties]
        assert all(at is None or type(at) is int for at in deadlines), "a deadline is no integer"
        return min((at for at in deadlines if at is not None), default=self.horizon + 1)

    def _pass_time(self, now: Micros) -> None:
        self.now = now
        for party in self.parties:
            for _ in range(PATIENCE):
                if party.engine.deadline is None or party.engine.deadline > now:
                    break
                self.do(party, party.engine.handle_timeout(now))
            else:
                raise AssertionError(f"{type(party.engine).__name__} does not move on from its deadline")


def _seen(sender: Party, receiver: Party) -> Address:
    """The sender's address as the receiver sees it: with the link on which that receiver lives, if it has but one."""
    address = sender.source
    if isinstance(address, Endpoint) and isinstance(receiver.source, Endpoint) and not receiver.addresses:
        return address._replace(link=receiver.source.link)
    return address


@dataclass(frozen=True)
class Dialogue:
    """A dialogue to disturb.

    `begin` sets the stage and says the first words. `check` is told whether what was heard was ignored and so must have
    left no trace; it raises AssertionError for an end that should not be. `dress` gives hostile bytes the form in which
    the receiver takes them seriously, a right checksum for example.
    """

    name: str
    begin: Callable[[], Stage]
    check: Callable[[Stage, bool], None]
    dress: Callable[[Stage, int, bytes], bytes] = lambda stage, index, payload: payload
    leaves_traces: bool = False
    """What the receiver ignores may matter all the same: it used up a packet number, or was only part of a datagram."""
    seeds: Seeds = tuple
    """Datagrams beside those of the dialogue itself."""
    bend: Callable[[bytes], Iterable[bytes]] = lambda payload: ()
    """What a liar might send in place of a datagram of the dialogue, well formed."""
    hears: tuple[int, ...] | None = None
    """The parties under test; None: all."""


def engine_target(dialogue: Dialogue) -> Target:
    """The fuzz target of a dialogue."""

    @cache
    def rehearsal() -> tuple[tuple[Sent, ...], list[tuple[int, int]], int]:
        """What is carried when nobody disturbs, who may hear whom, and the number of steps."""
        stage = dialogue.begin()
        stage.play()
        carried, parties = tuple(stage.carried), range(len(stage.parties))
        dialogue.check(stage, True)
        pairs = [(hears, seems) for hears in dialogue.hears or parties for seems in parties if seems != hears]
        return carried, pairs, max(sent.step for sent in carried) + 3

    def run(data: bytes) -> bool:
        place, who, payload = data[0] if data else 0, data[1] if len(data) > 1 else 0, data[2:]
        _, pairs, length = rehearsal()
        stage = dialogue.begin()
        for _ in range(place % length):
            stage.step()
        receiver, sender = pairs[who % len(pairs)]
        payload = dialogue.dress(stage, receiver, payload)
        heard = [stage.hear(receiver, sender, payload), stage.hear(receiver, sender, payload)]
        stage.play()
        dialogue.check(stage, not dialogue.leaves_traces and all(map(_is_ignored, heard)))
        return True

    def seeds() -> Iterable[bytes]:
        carried, pairs, length = rehearsal()
        for sent in carried:
            if (sent.receiver, sent.sender) in pairs:
                place, who = sent.step % 256, pairs.index((sent.receiver, sent.sender))
                yield bytes((place, who)) + sent.payload
                # A lie at its own place, and another time told by somebody else.
                for number, payload in enumerate(dialogue.bend(sent.payload)):
                    yield bytes((place, who)) + payload
                    yield bytes((number % min(length, 256), (who + 1) % len(pairs))) + payload
        for number, payload in enumerate(dialogue.seeds()):
            yield bytes((number % min(length, 256), number // length % len(pairs))) + payload

    return Target(dialogue.name, run, seeds, is_slow=True)


def _is_ignored(outputs: Outputs) -> bool:
    return bool(outputs) and all(isinstance(output, FrameIgnored) for output in outputs)
