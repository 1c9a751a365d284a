"""A service behind TLS with a certificate of the user's own authority: a small web page, or what push servers say.

In virtual time TLS is simulated (`simulated_tls`) and the events are the same. Wrong names, dates and chains, and
pre-shared keys, are not here yet.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field, model_validator

from devices.accessories.bonjour_presence import MEDIUM
from devices.accessories.data_services import WebPages
from devices.accessories.push_protocol import PushConnection
from devices.accessories.push_server import PushService, SilenceSettings
from devices.accessories.registry import accessory
from devices.accessories.web_connection import WebConnection
from devices.actor import Site
from devices.events import RequestReceived
from devices.service_events import TlsHandshakeCompleted, TlsHandshakeFailed
from devices.spec import slug
from devices.stores.tls_identities import TlsIdentities, server_leaf, tls_identities
from devices.transports.simulated_tls import Shaken, SimulatedTlsServer
from devices.transports.tls_accept import TlsAccept

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class TlsSettings(SilenceSettings):
    """How its TLS is."""

    service: str = Field("_https._tcp", examples=["_example._tcp"])
    """The service type by which it is found."""
    speaks: Literal["web", "push"] = "web"
    """What is inside: a web page, or what a push-server says, with its limits of silence."""
    certificate: Literal["private-ca", "self-signed"] = "private-ca"
    client_certificate: Literal["none", "required"] = "none"
    """`required`: of the same private authority, which is the only one that it names as acceptable."""
    versions: list[Literal["1.2", "1.3"]] = Field(["1.2", "1.3"], min_length=1)
    resumption: bool = True
    """Whether sessions can be resumed."""
    names: list[str] = Field([])
    """More DNS names and addresses in the certificate than its own, `localhost` and where it listens."""
    identities: str | None = Field(None, examples=["./tls"])
    """The folder of the authority's files, by default in the user's data; made where there are none."""

    @model_validator(mode="after")
    def _speaks_lines_to_mind_silence(self) -> "TlsSettings":
        if self.speaks == "web" and {"warn_after", "close_after"} & self.model_fields_set:
            raise ValueError('warn_after and close_after are for speaks = "push"')
        return self


@accessory("tls-service")
class TlsService(PushService):
    """A web page or a push server behind TLS 1.2 and 1.3, with a certificate of a private authority."""

    settings_model = TlsSettings
    settings: TlsSettings

    def __init__(self, site: Site, actor_id: str, name: str, settings: TlsSettings) -> None:
        super().__init__(site, actor_id, name, settings)
        self.handshakes = 0
        self.resumed_handshakes = 0
        if not site.real:
            self.room.plain_tls = "simulated"
        self._shaking: set[asyncio.Transport] = set()
        self._tickets = site.chance.stream(f"accessory/{actor_id}/tickets")
        self._good_tickets: set[str] = set()
        self._identities: TlsIdentities | None = None
        self._make_context: Callable[[], ssl.SSLContext] | None = None
        self._shared: ssl.SSLContext | None = None

    @property
    def endpoints(self) -> Mapping[str, str]:
        place = self.door.place
        if not place:
            return {}
        return {"tls": place, "https": f"https://{place}/"} if self.settings.speaks == "web" else {"tls": place}

    @property
    def facts(self) -> Mapping[str, Any]:
        own: dict[str, Any] = {"handshakes": self.handshakes, "resumed_handshakes": self.resumed_handshakes}
        files = self._identities
        if files is not None:
            own |= {"ca": str(files.authority), "client_certificate": str(files.client_certificate)}
            own |= {"client_key": str(files.client_key)}
        return {**super().facts, **own}

    async def _start(self) -> None:
        if self.site.real:
            self._prepare()
        await self.door.open(self._accept if self.site.real else self._accept_simulated)
        self.advert.start(self.door.port)

    def _prepare(self) -> None:
        """Read the authority's files and make this start's certificate."""
        settings = self.settings
        files = self._identities = tls_identities(settings.identities)
        hosts = [str(address) for link in self.site.lan.links_for(self.id) for address in link.addresses]
        names = [f"{slug(self.id)}.local", "localhost", *dict.fromkeys((*hosts, "127.0.0.1")), *settings.names]
        leaf = server_leaf(files, self.name, names, self_signed=settings.certificate == "self-signed")
        versions = [_VERSIONS[each] for each in settings.versions]

        def context() -> ssl.SSLContext:
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made.minimum_version, made.maximum_version = min(versions), max(versions)
            leaf.load_into(made)
            if settings.client_certificate == "required":
                made.verify_mode = ssl.CERT_REQUIRED
                made.load_verify_locations(files.authority)
            if settings.speaks == "web":
                made.set_alpn_protocols(["http/1.1"])
            if not settings.resumption:
                made.options |= ssl.OP_NO_TICKET
                made.num_tickets = 0
            return made

        # Without resumption each connection has a context of its own: TLS 1.2 resumes from a context's memory.
        self._make_context = context
        self._shared = context() if settings.resumption else None

    async def _stop(self, *, goodbye: bool) -> None:
        await super()._stop(goodbye=goodbye)
        for each in tuple(self._shaking):
            each.abort()
        self._shaking.clear()

    def _accept(self) -> asyncio.Protocol:
        assert self._make_context is not None  # noqa: S101  # made before the door opens
        context = self._shared or self._make_context()
        return _Accept(self, context)

    def _accept_simulated(self) -> asyncio.Protocol:
        return SimulatedTlsServer(self._answer, self._simulated, self._cut_off)

    def inner(self) -> PushConnection | WebConnection:
        """What is behind TLS, for one connection."""
        if self.settings.speaks == "push":
            return self.room.connection()
        return WebConnection(self.room, WebPages(self.name, {"id": self.id, "kind": self.kind}, self._journal))

    def shaken(self, event: TlsHandshakeCompleted) -> None:
        """A handshake is done."""
        self._shaking = {each for each in self._shaking if not each.is_closing()}
        self.emit(event, MEDIUM)

    def count(self, *, resumed: bool) -> tuple[int, int]:
        """One more handshake: how many there were, and how many were resumed."""
        self.handshakes += 1
        self.resumed_handshakes += resumed
        return self.handshakes, self.resumed_handshakes

    def _answer(self, version: str, ticket: str) -> Shaken:
        resumed = self.settings.resumption and ticket in self._good_tickets
        self._good_tickets.discard(ticket)
        following = self._tickets.randbytes(8).hex() if self.settings.resumption else ""
        self._good_tickets |= {following} if following else set()
        chosen = version if version in self.settings.versions else max(self.settings.versions)
        return Shaken(chosen, resumed, following)

    def _simulated(self, shaken: Shaken) -> asyncio.Protocol:
        handshakes, resumed = self.count(resumed=shaken.resumed)
        done = TlsHandshakeCompleted(
            version=f"TLSv{shaken.version}",
            cipher="simulated",
            resumed=shaken.resumed,
            client_subject="simulated" if self.settings.client_certificate == "required" else "",
            handshakes=handshakes,
            resumed_handshakes=resumed,
            tls="simulated",
        )
        return _Shaken(self, done)

    def begun(self, transport: asyncio.Transport) -> None:
        """A handshake is under way."""
        self._shaking.add(transport)

    def failed(self, problem: OSError, transport: asyncio.BaseTransport) -> None:
        """A handshake came to nothing."""
        reason = getattr(problem, "reason", None) or str(problem) or type(problem).__name__
        self._cut_off(str(reason), transport)

    def _cut_off(self, reason: str, transport: asyncio.BaseTransport) -> None:
        self.emit(TlsHandshakeFailed(reason=reason, peer=peer_of(transport)), MEDIUM)

    def _journal(self, method: str, path: str, status: int) -> None:
        self.emit(RequestReceived(protocol="https", method=method, path=path, status=str(status)), MEDIUM)


class _Accept(TlsAccept):
    """A handshake that its service knows of, so that it does not outlive it."""

    def __init__(self, service: TlsService, context: ssl.SSLContext) -> None:
        super().__init__(context, lambda: _Shaken(service, raw=self._raw), service.failed)
        self._service = service
        self._raw: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport) and self._raw is None:
            self._raw = transport
            self._service.begun(transport)
        super().connection_made(transport)


class _Shaken(asyncio.Protocol):
    """The first to have a connection after its handshake: tells of it, and hands on to what is inside."""

    def __init__(
        self,
        service: TlsService,
        simulated: TlsHandshakeCompleted | None = None,
        raw: asyncio.Transport | None = None,
    ) -> None:
        self._service = service
        self._simulated = simulated
        self._inner = service.inner()
        self._inner.raw = raw

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # TCP gives nothing else
        secured = transport.get_extra_info("ssl_object")
        if self._simulated is not None:
            event = replace(self._simulated, peer=peer_of(transport))
        else:
            event = self._told(secured, transport)
        self._service.shaken(event)
        transport.set_protocol(self._inner)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def _told(self, secured: Any, transport: asyncio.Transport) -> TlsHandshakeCompleted:
        resumed = bool(secured.session_reused)
        handshakes, resumed_handshakes = self._service.count(resumed=resumed)
        return TlsHandshakeCompleted(
            peer=peer_of(transport),
            version=str(secured.version()),
            cipher=str((secured.cipher() or ("",))[0]),
            resumed=resumed,
            client_subject=_subject_of(secured),
            handshakes=handshakes,
            resumed_handshakes=resumed_handshakes,
        )


def peer_of(transport: asyncio.BaseTransport) -> str:
    """Who is on the other side: an actor of the home, or host:port."""
    actor: str | None = transport.get_extra_info("peer")
    if actor is not None:
        return actor
    host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
    return f"{host}:{port}"


def _subject_of(secured: Any) -> str:
    try:
        certificate: Mapping[str, Any] = secured.getpeercert() or {}
    except ValueError:
        return ""  # what came right behind the handshake has ended the session already
    parts: Sequence[Sequence[tuple[str, str]]] = certificate.get("subject", ())
    return ", ".join(f"{name}={value}" for part in parts for name, value in part)
