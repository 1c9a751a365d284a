"""The data paths of a Wi-Fi Aware accessory as its peers use them: a session each, with the accessory's service."""

from collections.abc import Mapping
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

from devices.events import EndpointClosed, EndpointOpened
from devices.media.lan import GATEWAY
from devices.media.socket_wire import SocketWire
from devices.transports.data_path import DataPathSession, Service, SessionName, session_id
from devices.transports.tls_psk import PSK_IDENTITY, data_path_psk, psk_server_context
from pairing.nan.data_path_events import DataPathOpened

if TYPE_CHECKING:
    from devices.accessories.wifi_aware_base import WifiAwareAccessory


class AccessoryPaths:
    """Follows the engine's data paths. Sockets are opened in real time only."""

    def __init__(self, owner: "WifiAwareAccessory", service: Service | None, *, tls: bool) -> None:
        self._owner = owner
        self._service = service
        self._tls = tls
        self._sessions: dict[int, DataPathSession] = {}
        self._ending: list[DataPathSession] = []
        self._security: dict[int, tuple[str, str]] = {}
        self._psks: dict[int, str] = {}

    def opened(self, event: DataPathOpened, peer: bytes) -> None:
        """A data path is there: serve on it."""
        path = self._owner.device.data_path(event.data_path)
        if path is None:
            return
        site = self._owner.site
        name = SessionName(session_id(path.side.terms), self._owner.id, site.air.actor_at(peer))
        self._security[event.data_path] = (event.peer or "", event.security)
        if self._service is None:
            return
        wire = SocketWire(site.air, name.owner, name.peer or GATEWAY)
        session = DataPathSession(name, self._service, self._context(event.data_path, peer), wire)
        if site.real:
            session.open_sockets()
        self._sessions[event.data_path] = session
        site.data_paths.add(session)
        self._owner.emit(
            EndpointOpened(
                peer=event.peer,
                data_path=event.data_path,
                session=name.session,
                service=event.service,
                tls=self._tls_word,
                endpoints=dict(session.endpoints),
            )
        )

    def check(self) -> None:
        """Whether this host can do what the file asks for. Raises TransportUnavailableError."""
        if self._tls_word == "psk":
            psk_server_context(PSK_IDENTITY, bytes(32))

    @property
    def _tls_word(self) -> str:
        if not self._tls:
            return "none"
        return "psk" if self._owner.site.real else "simulated"

    def _context(self, number: int, peer: bytes) -> SSLContext | None:
        keys = self._owner.device.keys(peer)
        if self._tls_word != "psk" or keys is None:
            return None
        psk = data_path_psk(keys.nd_pmk)
        self._psks[number] = psk.hex()
        return psk_server_context(PSK_IDENTITY, psk)

    def closed(self, number: int) -> None:
        """A data path has ended; nothing happens where there was none."""
        peer, _ = self._security.pop(number, ("", ""))
        self._psks.pop(number, None)
        session = self._sessions.pop(number, None)
        if session is None:
            return
        self._owner.site.data_paths.remove(session)
        session.close()
        self._ending.append(session)
        self._owner.emit(
            EndpointClosed(
                peer=peer or None,
                data_path=number,
                session=session.name.session,
                service=self._owner.settings.service,
            )
        )

    async def stop(self) -> None:
        """End every session, and leave nothing on the loop."""
        for number in tuple(self._security):
            self.closed(number)
        ending, self._ending = self._ending, []
        for session in ending:
            await session.wait_closed()

    @property
    def newest(self) -> DataPathSession | None:
        """The session that was opened last."""
        return next(reversed(self._sessions.values()), None)

    @property
    def endpoints(self) -> Mapping[str, str]:
        """`tcp`, `udp` and `http` of the first session, `tcp-SESSION` and so on of further ones."""
        found: dict[str, str] = {}
        for session in self._sessions.values():
            for kind, place in session.endpoints.items():
                found[kind if kind not in found else f"{kind}-{session.name.session}"] = place
        return found

    @property
    def shows(self) -> Mapping[str, str]:
        """`psk`: the key for TLS, of the first session that has one, in hex."""
        return {"psk": next(iter(self._psks.values()))} if self._psks else {}

    @property
    def facts(self) -> list[dict[str, Any]]:
        """Each open data path."""
        return [
            {
                "data_path": number,
                "peer": peer,
                "security": security,
                "session": self._sessions[number].name.session if number in self._sessions else None,
                "endpoints": dict(self._sessions[number].endpoints) if number in self._sessions else {},
            }
            for number, (peer, security) in self._security.items()
        ]
