"""A phone as publisher, driven by its system: a code on its screen while pairing is open, and its user's answers.

An app that drives its own sessions, as Android's do, answers for itself: sessions that were not begun here are passed
over.
"""

from dataclasses import dataclass, field

from devices.controllers.wifi_aware import WifiAware
from devices.errors import ActionRefusedError
from devices.events import CodeShown
from devices.sim.chance import Stream
from pairing.engine import Event
from pairing.nan.data_path_events import DataPathRequested
from pairing.nan.events import BootstrappingRequested
from pairing.nan.pairing_events import PairingRequested
from pairing.nan.platform_rules import DataPathSecurity, judge_data_path

DIGITS = 6


@dataclass(slots=True)
class Host:
    """One service that the phone publishes."""

    service: str
    instance_id: int
    code: str = field(default="", repr=False)
    """The code on the screen; empty while pairing is closed."""
    is_listening: bool = False
    allowed: frozenset[int] | None = None
    """The paired devices that may connect; None: all."""


class Hosting:
    """The services that the phone publishes by itself."""

    def __init__(self, aware: WifiAware, codes: Stream) -> None:
        self.hosts: dict[str, Host] = {}
        self._aware = aware
        self._codes = codes
        aware.listeners.append(self.on_event)

    @property
    def code(self) -> str:
        """The code on the screen, if there is one."""
        return next((each.code for each in self.hosts.values() if each.code), "")

    def open_pairing(self, service: str) -> Host:
        """Show a code and let devices pair; a view that is open already stays as it is."""
        host = self._host(service)
        if not host.code:
            host.code = "".join(str(self._codes.randrange(10)) for _ in range(DIGITS))
            self._aware.do(lambda device, now: device.open_pairing(now, host.instance_id))
            self._aware.happened(CodeShown(kind="pin", service=service, code=host.code))
        return host

    def close_pairing(self, service: str) -> None:
        """Take the code away. Raises ActionRefusedError if there is none."""
        host = self.hosts.get(service)
        if host is None or not host.code:
            raise ActionRefusedError(f"no pairing view is open for {service!r}")
        host.code = ""
        self._aware.do(lambda device, now: device.close_pairing(now, host.instance_id))
        self._drop_if_idle(host)

    def listen(self, service: str, allowed: frozenset[int] | None) -> Host:
        """Let paired devices connect."""
        host = self._host(service)
        host.is_listening, host.allowed = True, allowed
        return host

    def stop_listening(self, service: str) -> None:
        """Let nobody connect any more; connections that are open stay."""
        host = self.hosts[service]
        host.is_listening = False
        self._drop_if_idle(host)

    def clear(self) -> None:
        """The phone was switched off."""
        self.hosts.clear()

    def _host(self, service: str) -> Host:
        if service not in self.hosts:
            session = self._aware.publish_session(service)
            self._aware.do(lambda device, now: device.publish(session, now, is_pairing_open=False))
            self.hosts[service] = Host(service, session.instance_id)
        return self.hosts[service]

    def _drop_if_idle(self, host: Host) -> None:
        if not host.code and not host.is_listening:
            del self.hosts[host.service]
            self._aware.do(lambda device, now: device.terminate(host.instance_id, now))

    # What peers ask.

    def on_event(self, event: Event) -> None:
        """Let the user decide about what a peer asks of one of these services."""
        host = self.hosts.get(getattr(event, "service", ""))
        if host is None or event.peer is None:
            return
        peer = bytes.fromhex(event.peer.replace(":", ""))
        match event:
            case BootstrappingRequested(instance_id=host.instance_id):
                self._aware.spawn(self._answer_bootstrapping(event.peer, peer))
            case PairingRequested():
                self._aware.spawn(self._answer_pairing(event, peer, host))
            case DataPathRequested():
                self._answer_data_path(event, peer, host)

    async def _answer_bootstrapping(self, text: str, peer: bytes) -> None:
        is_accepted = await self._aware.user.decide("pairing", text)
        if peer in self._aware.device.waiting_for_user:
            if is_accepted:
                self._aware.do(lambda device, now: device.accept_bootstrapping(peer, now))
            else:
                self._aware.do(lambda device, now: device.reject_bootstrapping(peer, now))

    async def _answer_pairing(self, asked: PairingRequested, peer: bytes, host: Host) -> None:
        # Whoever agreed on a method has been asked about it already.
        is_accepted = bool(asked.method) or await self._aware.user.decide("pairing", asked.peer)
        if peer not in self._aware.device.waiting_for_user:
            return
        password = host.code if asked.mode == "password" else None
        if is_accepted and (password or asked.mode != "password"):
            self._aware.do(lambda device, now: device.accept_pairing(peer, now, password=password))
        else:
            self._aware.do(lambda device, now: device.reject_pairing(peer, now))

    def _answer_data_path(self, asked: DataPathRequested, peer: bytes, host: Host) -> None:
        paired = self._aware.device.paired_peer(peer)
        is_known = paired is not None and (host.allowed is None or paired.peer_id in host.allowed)
        is_secure = judge_data_path(self._aware.app.platform, DataPathSecurity(asked.security)).is_accepted
        if host.is_listening and is_known and is_secure:
            self._aware.do(lambda device, now: device.accept_data_path(asked.data_path, now))
        else:
            self._aware.do(lambda device, now: device.reject_data_path(asked.data_path, now))
