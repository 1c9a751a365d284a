"""A device that joins: asks all routers in reach which networks expect it, and joins through the best of them.

`Joiner` does the joining at one router; this finds that router. Thread specification, chapter 8.4.4.1.1: networks whose
steering data mean this joiner come before those that let anybody in; of equals the first to answer. A persistent search
goes on until a network expects the device. Draws are those of `Joiner`, made when a router has been found.
"""

from collections.abc import Callable

from pairing.engine import (
    SECOND,
    Address,
    Entropy,
    FrameIgnored,
    Micros,
    Output,
    Outputs,
    Transmit,
    peer_name,
)
from pairing.errors import DecodeError, ExchangeTimeoutError, PairingError, PeerRejectedError
from pairing.thread.joiner import DISCOVERY_TRIES, DISCOVERY_WAIT, Joiner, JoinerSettings
from pairing.thread.joiner_frames import DiscoveryAnswer
from pairing.thread.meshcop_events import JoinerRouterFound, JoiningFailed, LieTold
from pairing.thread.steering import joiner_id

SEARCH_AGAIN: Micros = 10 * SECOND
"""How long a persistent search rests."""


class JoinerSearch:
    """One attempt to join at whoever lets the device in. `group` reaches every router that is near."""

    def __init__(
        self,
        group: Address,
        eui64: bytes,
        pskd: str,
        entropy: Entropy,
        settings: JoinerSettings | None = None,
        *,
        is_persistent: bool = False,
    ) -> None:
        self.settings = settings or JoinerSettings()
        self.eui64 = eui64
        self._group = group
        self._make: Callable[[Address], Joiner] = lambda router: Joiner(router, eui64, pskd, entropy, self.settings)
        self._is_persistent = is_persistent
        self._identifier = joiner_id(eui64)
        self._answers: dict[Address, DiscoveryAnswer] = {}
        self._tries = 0
        self._due_at: Micros | None = None
        self.joiner: Joiner | None = None
        """Once a router has been found."""
        self.is_over = False

    @property
    def deadline(self) -> Micros | None:
        """When to choose, to ask again, or what the joining waits for."""
        return self._due_at if self.joiner is None else self.joiner.deadline

    def start(self, now: Micros) -> Outputs:
        """Ask who is there."""
        self._tries += 1
        self._answers.clear()
        self._due_at = now + DISCOVERY_WAIT
        return [Transmit(self.eui64, self._group)]

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """An answer, or what the router says while we join."""
        if self.joiner is not None:
            return self._watched(self.joiner.receive(payload, sender, now))
        if self.is_over or self._due_at is None:
            return [_ignored(sender, "datagram while nothing is searched for")]
        try:
            self._answers.setdefault(sender, DiscoveryAnswer.decode(payload))
        except DecodeError as error:
            return [_ignored(sender, str(error))]
        return []

    def handle_timeout(self, now: Micros) -> Outputs:
        """Choose, ask again, or give up."""
        if self.joiner is not None:
            return self._watched(self.joiner.handle_timeout(now))
        if self.is_over or self._due_at is None or self._due_at > now:
            return []
        router = self._chosen()
        if router is not None:
            return self._join(router, now)
        if self._answers and not self._is_persistent:
            names = ", ".join(repr(each.network_name) for each in self._answers.values())
            text = f"joiner: no network in reach expects this joiner: the steering data of {names} rule it out"
            return self._fail(PeerRejectedError(text))
        if self._tries < DISCOVERY_TRIES and not self._answers:
            return self.start(now)
        if self._is_persistent:
            self._tries, self._due_at = 0, now + SEARCH_AGAIN
            self._answers.clear()
            return []
        return self._fail(ExchangeTimeoutError(f"joiner: no router answered {DISCOVERY_TRIES} requests"))

    def _chosen(self) -> Address | None:
        """The router to join through."""
        admitting = [each for each, its in self._answers.items() if its.steering_data.admits(self._identifier)]
        if not admitting and self.settings.deviations.ignore_steering:
            admitting = list(self._answers)
        exact = [each for each in admitting if not self._answers[each].steering_data.admits_any]
        return next(iter(exact or admitting), None)

    def _join(self, router: Address, now: Micros) -> Outputs:
        answer = self._answers[router]
        self.joiner = self._make(router)
        found = JoinerRouterFound(
            joiner=self.eui64.hex(),
            network_name=answer.network_name,
            ext_pan_id=answer.ext_pan_id,
            joiner_udp_port=answer.joiner_udp_port,
            peer=peer_name(router),
        )
        told: list[Output] = [found]
        if not answer.steering_data.admits(self._identifier):
            told.append(LieTold(lie="ignore-steering", peer=peer_name(router)))
        return [*told, *self._watched(self.joiner.connect(now))]

    def _watched(self, outputs: Outputs) -> Outputs:
        self.is_over = self.joiner is not None and self.joiner.state.is_final
        return outputs

    def _fail(self, error: PairingError) -> Outputs:
        self.is_over, self._due_at = True, None
        return [JoiningFailed(joiner=self.eui64.hex(), error=error)]


def _ignored(sender: Address, reason: str) -> FrameIgnored:
    return FrameIgnored(peer=peer_name(sender), reason=reason, protocol="meshcop")
