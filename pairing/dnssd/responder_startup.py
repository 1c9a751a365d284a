"""How a responder wins its names and keeps them: probing, tie-break, announcing, conflicts, renaming.

It makes the moves of `responder_states` and keeps their times. Registration and goodbye are the responder's.
Source: RFC 6762 sections 8 (probing and announcing) and 9 (conflict resolution).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pairing.dnssd.claims import Claim, HostClaim, ServiceClaim
from pairing.dnssd.messages import RESPONSE, Message, Question, RecordType
from pairing.dnssd.multicast import Channel
from pairing.dnssd.names import RenameStyle, host_name, instance_name, renamed_host, renamed_instance
from pairing.dnssd.packing import Unit
from pairing.dnssd.responder_states import ClaimInput, ClaimState
from pairing.dnssd.service import ServiceRenamed, ServiceUpdated
from pairing.dnssd.speaker import Speaker
from pairing.dnssd.timers import Timers, draw
from pairing.dnssd.zone import Zone
from pairing.engine import MILLISECOND, SECOND, Entropy, Micros, Output

PROBE_DELAY = 250 * MILLISECOND
"""The longest random wait before the first probe."""
PROBE_INTERVAL = 250 * MILLISECOND
PROBES = 3
TIEBREAK_DELAY = 1 * SECOND
CONFLICT_DELAY = 5 * SECOND
"""The wait before each probe after too many conflicts."""
DEFENCE_INTERVAL = 10 * SECOND
"""How often the lie that never gives a name up asserts it again."""
ANNOUNCEMENT_GAPS = (1 * SECOND, 2 * SECOND)
"""Between the first, second and third announcement."""


class Startup:
    """The timed moves of every claim of one responder."""

    def __init__(self, entropy: Entropy, zone: Zone, speaker: Speaker, style: RenameStyle) -> None:
        self._entropy = entropy
        self._zone = zone
        self._speaker = speaker
        self._style = style
        self._timers: Timers[Claim] = Timers()
        self._started: tuple[Micros, Micros] = (-1, 0)

    @property
    def next(self) -> Micros | None:
        """The next moment at which a claim has to move."""
        return self._timers.next

    def begin(self, claim: Claim, now: Micros, late: Micros = 0) -> None:
        """Probe for the name after a random delay. Claims made at one moment share it, and so their packets."""
        if self._started[0] != now:
            self._started = (now, draw(self._entropy, 0, PROBE_DELAY))
        self._timers.set(claim, now + late + (0 if claim.is_assertive else self._started[1]))

    def end(self, claim: Claim) -> None:
        """The claim is given up."""
        claim.move(ClaimInput.WITHDRAW)
        self._timers.cancel(claim)

    def step(self, now: Micros) -> list[Output]:
        """The next step of every claim whose time has come."""
        probing: list[Claim] = []
        announcing: list[Claim] = []
        for claim in self._timers.due(now):
            if claim.state is ClaimState.WAITING:
                claim.move(ClaimInput.ASSERTED if claim.is_assertive else ClaimInput.DELAY_OVER)
            elif claim.state is ClaimState.PROBING and claim.probes == PROBES:
                claim.move(ClaimInput.PROBES_UNANSWERED)
            if claim.state is ClaimState.PROBING:
                claim.probes += 1
                self._timers.set(claim, now + PROBE_INTERVAL)
                probing.append(claim)
            else:
                announcing.append(claim)
        return self._probe(probing) + self.announce(announcing, now)

    def _probe(self, claims: Sequence[Claim]) -> list[Output]:
        def units(channel: Channel) -> list[Unit]:
            return [
                Unit(
                    questions=(Question(claim.name, RecordType.ANY, unicast=True),),
                    authorities=tuple(replace(one, cache_flush=False) for one in claim.unique(channel.link.name)),
                )
                for claim in claims
            ]

        return self._speaker.multicast(units, 0) if claims else []

    def announce(self, claims: Iterable[Claim], now: Micros) -> list[Output]:
        """Announce names that are ours. A service waits for its host; a host brings its waiting services along."""
        ready: dict[Claim, None] = {}
        for claim in claims:
            if isinstance(claim, ServiceClaim) and not claim.host.is_answering:
                claim.announcements = 0
                self._timers.cancel(claim)
                continue
            ready[claim] = None
            if isinstance(claim, HostClaim) and claim.announcements == 0:
                waiting = (user for user in claim.users if user.state is ClaimState.ANNOUNCING)
                ready.update(dict.fromkeys(user for user in waiting if user.announcements == 0))
        if not ready:
            return []

        def units(channel: Channel) -> list[Unit]:
            return [unit for claim in ready for unit in channel.announcement(claim, now)]

        outputs = self._speaker.multicast(units, RESPONSE)
        for claim in ready:
            claim.announcements += 1
            if claim.announcements <= len(ANNOUNCEMENT_GAPS):
                self._timers.set(claim, now + ANNOUNCEMENT_GAPS[claim.announcements - 1])
            else:
                claim.move(ClaimInput.ANNOUNCED)
            if isinstance(claim, ServiceClaim) and claim.news is not None:
                outputs.append(claim.event(claim.news))
                claim.news = None
                claim.is_published = True
        return outputs

    def break_ties(self, message: Message, channel: Channel, now: Micros) -> None:
        """Another host probes for a name that we probe for: the later records win, the loser waits (section 8.2)."""
        for question in message.questions if message.authorities else ():
            claim = self._zone.claims.get(question.key)
            if claim is None or claim.state is not ClaimState.PROBING:
                continue
            theirs = tuple(record for record in message.authorities if record.key == question.key)
            if theirs and claim.yields_to(theirs, channel.link.name) and claim.move(ClaimInput.TIEBREAK_LOST):
                self._timers.set(claim, now + TIEBREAK_DELAY)

    def conflict(self, claim: Claim, now: Micros) -> list[Output]:
        """Another host holds the name. Before we had it: rename. After: probe again, and rename if it is defended."""
        was_ours = claim.is_answering
        if claim.is_assertive:
            if was_ours and (claim.defended_at is None or now - claim.defended_at >= DEFENCE_INTERVAL):
                claim.defended_at = now
                claim.move(ClaimInput.UPDATE)
                return self.announce([claim], now)
            return []
        is_crowded = claim.count_conflict(now)
        if not claim.move(ClaimInput.CONFLICT):
            return []
        outputs = [] if was_ours else self.rename(claim)
        delay = 0 if was_ours else draw(self._entropy, 0, PROBE_DELAY)
        self._timers.set(claim, now + (CONFLICT_DELAY if is_crowded else delay))
        return outputs

    def rename(self, claim: Claim) -> list[Output]:
        """Give a claim the next free name of the platform's style."""
        is_indexed = self._zone.claims.get(claim.key) is claim
        if is_indexed:
            self._zone.remove(claim)
        self._speaker.forget((*claim.pointers(), *claim.all_unique()))
        outputs: list[Output] = []
        if isinstance(claim, HostClaim):
            self._rename_host(claim)
        elif isinstance(claim, ServiceClaim):
            outputs = self._rename_service(claim)
        if is_indexed:
            self._zone.add(claim)
        return outputs

    def _rename_service(self, claim: ServiceClaim) -> list[Output]:
        old = label = claim.service.instance
        while instance_name(label, claim.service.type).lower() in self._zone.claims or label == old:
            label = renamed_instance(label, claim.registered.instance, self._style, self._number)
        claim.rename(label)
        self._expect_update(claim)
        now = claim.service
        return [
            ServiceRenamed(
                key=claim.registered,
                instance=now.instance,
                service_type=now.type,
                host=now.host,
                port=now.port,
                txt=now.txt,
                old_instance=old,
            )
        ]

    def _rename_host(self, claim: HostClaim) -> None:
        label = renamed_host(claim.label)
        while host_name(label).lower() in self._zone.claims:
            label = renamed_host(label)
        claim.rename(label)
        for user in claim.users:
            self._expect_update(user)
            if user.move(ClaimInput.UPDATE):
                self._timers.cancel(user)  # announced again together with the host

    def _expect_update(self, claim: ServiceClaim) -> None:
        if claim.is_published:
            claim.news = ServiceUpdated

    def _number(self) -> int:
        return int.from_bytes(self._entropy(2), "big") or 1
