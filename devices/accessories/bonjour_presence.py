"""An actor's place on Bonjour: a responder of its own on the lan, from joining to leaving."""

from devices.actor import Actor
from devices.driver import EngineDriver
from devices.media.medium import MediumPort
from pairing.dnssd.responder import Responder
from pairing.dnssd.service import ServiceInstance

MEDIUM = "lan"


class BonjourPresence:
    """Joined, it publishes one service, and follows its changes; nothing happens before it has joined."""

    def __init__(self, owner: Actor) -> None:
        self._owner = owner
        self._driver: EngineDriver[Responder] | None = None
        self._port: MediumPort | None = None
        self._is_published = False

    @property
    def instance(self) -> str | None:
        """The name that survived conflicts."""
        if self._driver is None:
            return None
        return next((each.service.instance for each in self._driver.engine.services), None)

    def join(self) -> None:
        """Be on the lan, and say nothing yet."""
        owner = self._owner
        entropy = owner.site.chance.stream(f"accessory/{owner.id}/bonjour").randbytes
        responder = Responder(entropy, owner.site.lan.links_for(owner.id))
        driver = EngineDriver(responder, owner.site.clock, on_event=lambda event: owner.emit(event, MEDIUM))
        self._port = owner.site.lan.join(owner.id, lambda flight: driver.deliver(flight.payload, flight.source))
        driver.port, self._driver = self._port, driver

    def publish(self, service: ServiceInstance) -> None:
        """Say a service, or what it is now."""
        if self._driver is None:
            return
        if self._is_published:
            self._driver.do(lambda responder, now: responder.update(service, now))
        else:
            self._driver.do(lambda responder, now: responder.register(service, now))
        self._is_published = True

    def leave(self, *, goodbye: bool) -> None:
        """Leave the lan, with a goodbye or without a word."""
        driver, self._driver = self._driver, None
        if driver is not None:
            if goodbye:
                driver.do(lambda responder, now: responder.close(now))
            driver.stop()
        if self._port is not None:
            self._port.close()
            self._port = None
        self._is_published = False
