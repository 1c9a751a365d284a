"""A responder's mouth: its links and groups, packets made from units, and a pace that socket buffers can follow.

Source: RFC 6762 sections 3 (groups), 17 (packet size). The pacing is ours: a browser that asks for a thousand services
would lose every second answer in its receive buffer if they came at once.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from pairing.dnssd.messages import RESPONSE, Record
from pairing.dnssd.multicast import Channel
from pairing.dnssd.packing import Unit, pack
from pairing.dnssd.service import Link
from pairing.engine import MILLISECOND, Address, Endpoint, Micros, Output, Transmit

BURST = 24
"""Packets that go out at once; the default receive buffer of Linux holds some 90 of full size."""
BURST_GAP = 10 * MILLISECOND


class Speaker:
    """Sends for one responder, and remembers on each channel what was sent."""

    def __init__(self, links: Sequence[Link]) -> None:
        self.links: tuple[Link, ...] = ()
        self.channels: dict[Endpoint, Channel] = {}
        self._by_family: dict[tuple[str, bool], Channel] = {}
        self._outbox: deque[Transmit] = deque()
        self._burst_end: Micros = 0
        self._burst_room = 0
        self.set_links(links)

    def set_links(self, links: Sequence[Link]) -> None:
        """Speak on these links from now on; what is known of the ones that stay is kept."""
        self.links = tuple(links)
        kept = self.channels
        self.channels = {}
        for link in links:
            for group in link.groups:
                channel = kept.get(group)
                if channel is None or channel.link.name != link.name:
                    channel = Channel(link, group)
                channel.set_link(link)
                self.channels[group] = channel
        self._by_family = {(one.link.name, ":" in group.host): one for group, one in self.channels.items()}

    def channel(self, sender: Address) -> Channel | None:
        """The channel on which a packet from this sender came in: same link, same address family if there is one."""
        if not isinstance(sender, Endpoint):
            return None
        link = self.links[0].name if not sender.link and len(self.links) == 1 else sender.link
        is_v6 = ":" in sender.host
        return self._by_family.get((link, is_v6)) or self._by_family.get((link, not is_v6))

    @property
    def due(self) -> Micros | None:
        """When an answer that waits, or a packet held back, wants to go out."""
        times = [self._burst_end if self._outbox else None, *(channel.due for channel in self.channels.values())]
        return min((time for time in times if time is not None), default=None)

    def flush(self, now: Micros) -> list[Output]:
        """Send the answers and the packets held back whose time has come."""
        outputs = self._drain(now)
        for channel in self.channels.values():
            units = channel.take(now)
            outputs += self.send((Transmit(packet, channel.group) for packet in pack(units, flags=RESPONSE)), now)
        return outputs

    def multicast(self, units: Callable[[Channel], list[Unit]], flags: int, now: Micros) -> list[Output]:
        """Send to every group what `units` makes for it; groups of one link mostly share the packets."""
        outputs: list[Output] = []
        last: tuple[list[Unit], list[bytes]] = ([], [])
        for channel in self.channels.values():
            made = units(channel)
            if made != last[0]:
                last = (made, pack(made, flags=flags))
            outputs += self.send((Transmit(packet, channel.group) for packet in last[1]), now)
        return outputs

    def goodbye(self, records: Iterable[tuple[str, Sequence[Record]]], now: Micros) -> list[Output]:
        """Send records of each link with TTL 0."""
        by_link = dict(records)

        def units(channel: Channel) -> list[Unit]:
            leaving = by_link.get(channel.link.name, ())
            channel.forget(leaving)
            return [Unit(answers=(replace(record, ttl=0),)) for record in leaving]

        return self.multicast(units, RESPONSE, now)

    def send(self, packets: Iterable[Transmit], now: Micros) -> list[Output]:
        """Send packets, all but the first of a burst a little later."""
        self._outbox.extend(packets)
        return self._drain(now)

    def release(self) -> list[Output]:
        """Everything that is held back, at once: the last words before closing."""
        outputs: list[Output] = [*self._outbox]
        self._outbox.clear()
        return outputs

    def _drain(self, now: Micros) -> list[Output]:
        if self._outbox and now >= self._burst_end:
            self._burst_end, self._burst_room = now + BURST_GAP, BURST
        count = min(self._burst_room, len(self._outbox))
        self._burst_room -= count
        return [self._outbox.popleft() for _ in range(count)]
