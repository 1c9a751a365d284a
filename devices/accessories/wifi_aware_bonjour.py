"""A Wi-Fi Aware service said on Bonjour as well, for clients without the radio, such as apps in the iOS Simulator.

It is published under its own service type. Its port refuses everyone until there is a data path, leads to the newest
one's service while there is, and refuses again when the last has ended.
"""

import socket
from typing import TYPE_CHECKING

from devices.accessories.bonjour_presence import BonjourPresence
from devices.errors import HomeFileError, TransportUnavailableError
from devices.spec import slug
from devices.transports.data_path import DataPathSession
from devices.transports.reach import bind_hosts, shown_host
from devices.transports.sockets import reserve_tcp
from pairing.dnssd.service import ServiceInstance
from pairing.dnssd.txt import TxtRecord
from pairing.errors import EncodeError

if TYPE_CHECKING:
    from devices.accessories.wifi_aware_base import WifiAwareAccessory

_FIRST_DYNAMIC_PORT, _DYNAMIC_PORTS = 49_152, 65_536 - 49_152


class BonjourBridge:
    """One responder on the lan, and the port that it names."""

    def __init__(self, owner: "WifiAwareAccessory") -> None:
        self._owner = owner
        self._presence = BonjourPresence(owner)
        self._published: ServiceInstance | None = None
        self._reserved: socket.socket | None = None
        self._leads_to: DataPathSession | None = None
        self._chance = owner.site.chance.stream(f"accessory/{owner.id}/ports")
        try:
            self._service(1)
        except EncodeError as problem:
            raise HomeFileError(f"accessory {owner.id!r}: bonjour_bridge: {problem}") from None

    @property
    def endpoint(self) -> str | None:
        """Where the service is said to be, as host:port."""
        if self._published is None:
            return None
        site = self._owner.site
        host = shown_host(self._host()) if site.real else site.lan.host_of(self._owner.id)
        return f"{host}:{self._published.port}"

    @property
    def instance(self) -> str | None:
        """The name that survived conflicts."""
        return self._presence.instance

    def start(self) -> None:
        """Join the lan and publish, with a port that refuses."""
        self._presence.join()
        self._publish(self._reserve(0))

    def stop(self, *, goodbye: bool) -> None:
        """Leave the lan, with a goodbye or without a word."""
        self._presence.leave(goodbye=goodbye)
        self._release()
        self._published = self._leads_to = None

    def follow(self, newest: DataPathSession | None) -> None:
        """A data path has opened or ended."""
        if self._published is None or newest is self._leads_to:
            return
        self._leads_to = newest
        if not self._owner.site.real:
            return
        port = self._published.port
        if newest is None:
            self._publish(self._reserve(port))
            return
        self._release()
        try:
            newest.listen(self._host(), port)
        except TransportUnavailableError:  # somebody was faster to take the port
            sockets = newest.listen(self._host())
            self._publish(sockets.tcp[1])

    def _publish(self, port: int) -> None:
        service = self._service(port)
        if service != self._published:
            self._presence.publish(service)
        self._published = service

    def _service(self, port: int) -> ServiceInstance:
        owner = self._owner
        return ServiceInstance(
            owner.settings.pairing_name or owner.name,
            owner.settings.service,
            slug(owner.id),
            port,
            txt=TxtRecord.of([("id", owner.id.encode())]).encode(),
        )

    def _reserve(self, port: int) -> int:
        if not self._owner.site.real:
            return port or _FIRST_DYNAMIC_PORT + self._chance.randrange(_DYNAMIC_PORTS)
        self._release()
        what = f"{self._owner.id}: bonjour_bridge"
        try:
            self._reserved = reserve_tcp(self._host(), port, what)
        except TransportUnavailableError:
            self._reserved = reserve_tcp(self._host(), 0, what)
        return int(self._reserved.getsockname()[1])

    def _release(self) -> None:
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def _host(self) -> str:
        return bind_hosts(self._owner.site.reach)[0]
