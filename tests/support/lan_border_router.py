"""A border router for a home on virtual time that is all engines and no accessory kind: Border Agent and Bonjour."""

from collections.abc import Mapping
from typing import Any

from devices import Home
from devices.accessories.base import Accessory, Settings
from devices.actor import verb
from devices.driver import EngineDriver
from devices.media.medium import MediumPort
from devices.spec import Duration, duration_us
from pairing.dnssd.responder import Responder
from pairing.dnssd.service import ServiceKey
from pairing.engine import Address, Endpoint, Event
from pairing.thread.border_agent import EPHEMERAL_LINK, MAIN_LINK, BorderAgent
from pairing.thread.border_agent_services import Naming, Ports, border_agent_services
from pairing.thread.network import Network
from tests.support.meshcop import leading_network
from tests.support.thread_network import counting_entropy

PORTS = {MAIN_LINK: 49153, EPHEMERAL_LINK: 49154}
_SHARING = 49154


class LanBorderRouter(Accessory):
    """Leads from the start; `share-code` opens a code."""

    kind = "thread-border-router"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.network: Network = leading_network()
        agent = BorderAgent(self.network, counting_entropy(7))
        self._agent = EngineDriver(agent, self.site.clock, on_event=self._on_event, port=self)
        responder = Responder(counting_entropy(8), self.site.lan.links_for(self.id))
        self._bonjour = EngineDriver(responder, self.site.clock, on_event=lambda each: self.emit(each, "lan"))
        self._time = EngineDriver(self.network, self.site.clock, on_event=self._on_event)
        self._published: set[ServiceKey] = set()
        self._open: dict[str, MediumPort] = {}

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where its Border Agent listens."""
        return {"meshcop": f"{self.site.lan.host_of(self.id)}:{PORTS[MAIN_LINK]}"}

    @property
    def shows(self) -> Mapping[str, str]:
        """The code while there is one."""
        key = self.network.ephemeral_key.key
        return {} if key is None else {"code": key.code}

    @property
    def facts(self) -> Mapping[str, Any]:
        """Its name on Bonjour."""
        return {"instance": self.name}

    async def _start(self) -> None:
        self._bonjour.port = self.site.lan.join(
            self.id, lambda flight: self._bonjour.deliver(flight.payload, flight.source)
        )
        self._listen(MAIN_LINK)
        self._follow()

    async def _stop(self, *, goodbye: bool) -> None:
        for driver in (self._agent, self._bonjour, self._time):
            driver.stop()
        for port in self._open.values():
            port.close()

    def send(self, payload: bytes, to: Address) -> None:
        """Out of the port that `link` names."""
        assert isinstance(to, Endpoint)
        if to.link in self._open:
            self._open[to.link].send(payload, to._replace(link="lan"))

    def _listen(self, link: str) -> None:
        own = Endpoint(self.site.lan.host_of(self.id), PORTS[link], "lan")
        self._open[link] = self.site.lan.attach(
            self.id,
            (own,),
            lambda flight: self._agent.deliver(flight.payload, Endpoint(*flight.source[:2], link)),  # type: ignore[arg-type]
        )

    def _on_event(self, event: Event) -> None:
        self.emit(event, "lan")
        self.site.clock.call_later(0, self._follow)

    def _follow(self) -> None:
        if not self.powered:
            return
        self._agent.do(lambda agent, now: agent.follow(now))
        self._time.do(lambda network, now: ())
        naming = Naming("pairlab", "test", instance=self.name)
        wanted = {each.key: each for each in border_agent_services(self.network, naming, Ports(meshcop=PORTS[""]))}
        for key in sorted(self._published - set(wanted)):
            self._bonjour.do(lambda responder, now, key=key: responder.withdraw(key, now))  # type: ignore[misc]
        for key in [each for each in wanted if each not in self._published]:
            self._bonjour.do(lambda responder, now, key=key: responder.register(wanted[key], now))  # type: ignore[misc]
        self._published = set(wanted)
        if self.network.ephemeral_key.key is None and EPHEMERAL_LINK in self._open:
            self._open.pop(EPHEMERAL_LINK).close()

    @verb("share-code")
    async def _do_share_code(self, lifetime: Duration = "2m") -> Mapping[str, Any]:
        """Open a code."""
        self._listen(EPHEMERAL_LINK)
        self._time.do(
            lambda network, now: network.activate_ephemeral_key(_SHARING, now, lifetime=duration_us(lifetime))
        )
        self._follow()
        return {"code": self.shows["code"]}


def add_border_router(home: Home, actor_id: str = "br", name: str = "Living Room") -> None:
    """Put one into a running home."""

    async def add() -> None:
        router = LanBorderRouter(home.live.site, actor_id, name, Settings())
        home.live.accessories[actor_id] = router
        await router.power_on()

    home.submit(add()).result()
