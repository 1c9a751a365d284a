"""A responder's mouth: its links and groups, and packets made from units.

When what is sent is decided elsewhere; a pace that receive buffers can follow is left to whoever owns the sockets.
Source: RFC 6762 sections 3 (groups), 17 (packet size).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from pairing.dnssd.messages import RESPONSE, Record
from pairing.dnssd.multicast import Channel
from pairing.dnssd.packing import Unit, pack
from pairing.dnssd.service import Link
from pairing.engine import Address, Endpoint, Micros, Output, Transmit


class Speaker:
    """Sends for one responder, and remembers on each channel what was sent."""

    def __init__(self, links: Sequence[Link]) -> None:
        self.links: tuple[Link, ...] = ()
        self.channels: dict[Endpoint, Channel] = {}
        self._by_family: dict[tuple[str, bool], Channel] = {}
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
        """When an answer that waits wants to go out."""
        return min((channel.due for channel in self.channels.values() if channel.due is not None), default=None)

    def flush(self, now: Micros) -> list[Output]:
        """Send the answers whose time has come."""
        outputs: list[Output] = []
        for channel in self.channels.values():
            units = channel.take(now)
            if units:
                outputs += [Transmit(packet, channel.group) for packet in pack(units, flags=RESPONSE)]
        return outputs

    def multicast(self, units: Callable[[Channel], list[Unit]], flags: int) -> list[Output]:
        """Send to every group what `units` makes for it; groups of one link mostly share the packets."""
        outputs: list[Output] = []
        last: tuple[list[Unit], list[bytes]] = ([], [])
        for channel in self.channels.values():
            made = units(channel)
            if made != last[0]:
                last = (made, pack(made, flags=flags))
            outputs += [Transmit(packet, channel.group) for packet in last[1]]
        return outputs

    def forget(self, records: Sequence[Record]) -> None:
        """These records are ours no more."""
        for channel in self.channels.values():
            channel.forget(records)

    def goodbye(self, records: Iterable[tuple[str, Sequence[Record]]]) -> list[Output]:
        """Send records of each link with TTL 0."""
        by_link = dict(records)

        def units(channel: Channel) -> list[Unit]:
            leaving = by_link.get(channel.link.name, ())
            channel.forget(leaving)
            return [Unit(answers=(replace(record, ttl=0),)) for record in leaving]

        return self.multicast(units, RESPONSE)
