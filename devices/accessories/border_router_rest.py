"""The REST half of a border router: its API on real sockets, and the lies that it can be made to tell there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from devices.accessories.base import Accessory, Lie
from devices.accessories.border_router_settings import BorderRouterSettings
from devices.events import RequestReceived
from devices.media.socket_wire import SocketWire
from devices.otbr.app import OtbrApp
from devices.otbr.engine import OtbrEngine
from devices.otbr.profile import PENDING_LIES, OtbrLies
from devices.spec import duration_us
from devices.transports.reach import bind_hosts, shown_host
from devices.transports.sockets import listen_tcp
from devices.transports.web import WebServer, serve_web
from pairing.engine import Micros, Outputs

DEFAULT_PORT = 8081


@dataclass(frozen=True, slots=True)
class PendingRejectedByLeader(Lie):
    """Every good PUT of a pending dataset is answered 409, `rejected by leader`."""


@dataclass(frozen=True, slots=True)
class PendingNotAttached(Lie):
    """Every good PUT of a pending dataset is answered 409, `no longer attached`."""


@dataclass(frozen=True, slots=True)
class PendingBusy(Lie):
    """Every good PUT of a pending dataset is answered 409 without a detail."""


@dataclass(frozen=True, slots=True)
class PendingNoAnswer(Lie):
    """Every good PUT of a pending dataset is answered 504: the Leader did not answer."""


@dataclass(frozen=True, slots=True)
class StartUp408(Lie):
    """The first `requests` requests are answered 408, as while the agent starts."""

    requests: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.requests <= 1_000_000:
            raise ValueError(f"requests is 1 to 1000000, not {self.requests}")


@dataclass(frozen=True, slots=True)
class OldAgent(Lie):
    """404 on the dataset paths and on /api, as an agent from before they existed."""


@dataclass(frozen=True, slots=True)
class SlowAnswer(Lie):
    """Each answer is held back for `delay` after the request has taken effect."""

    delay: str = "15s"

    def __post_init__(self) -> None:
        duration_us(self.delay)


@dataclass(frozen=True, slots=True)
class TruncatedJson(Lie):
    """Every JSON body ends halfway."""


REST_LIES: Mapping[str, type[Lie]] = MappingProxyType(
    {
        "old-agent": OldAgent,
        "pending-busy": PendingBusy,
        "pending-no-answer": PendingNoAnswer,
        "pending-not-attached": PendingNotAttached,
        "pending-rejected-by-leader": PendingRejectedByLeader,
        "slow-answer": SlowAnswer,
        "start-up-408": StartUp408,
        "truncated-json": TruncatedJson,
    }
)


def otbr_lies(told: Mapping[str, Lie]) -> OtbrLies:
    """The lies about REST among those being told; of several about pending datasets the first counts."""
    slow, start_up = told.get("slow-answer"), told.get("start-up-408")
    return OtbrLies(
        pending=next((kind for kind in told if kind in PENDING_LIES), None),
        start_up_408=start_up.requests if isinstance(start_up, StartUp408) else 0,
        old_agent="old-agent" in told,
        slow_answer=duration_us(slow.delay) if isinstance(slow, SlowAnswer) else 0,
        truncated_json="truncated-json" in told,
    )


class RestOwner(Protocol):
    """What the REST half needs of its border router beyond being an accessory."""

    settings: BorderRouterSettings

    @property
    def engine(self) -> OtbrEngine:
        """The engine under the border router's driver."""

    def perform(self, intent: Callable[[Micros], Outputs]) -> Outputs:
        """Run an intent of the engine; Bonjour follows."""

    def open_ephemeral_key_port(self, wanted: int = 0) -> int:
        """The UDP port that will serve a sharing code."""


class _Node:
    """The border router as its REST API sees it (`OtbrNode`)."""

    def __init__(self, owner: RestOwner, accessory: Accessory) -> None:
        self._owner = owner
        self._accessory = accessory
        self._chance = accessory.site.chance.stream(f"accessory/{accessory.id}/rest")

    @property
    def engine(self) -> OtbrEngine:
        return self._owner.engine

    def now(self) -> Micros:
        return self._accessory.site.clock.now()

    def wall_clock(self, at: Micros) -> datetime:
        return datetime.now(UTC) - timedelta(microseconds=self.now() - at)

    def perform(self, intent: Callable[[Micros], Outputs]) -> Outputs:
        return self._owner.perform(intent)

    def entropy(self, length: int) -> bytes:
        return self._chance.randbytes(length)

    def reserve_udp_port(self, port: int) -> int:
        return self._owner.open_ephemeral_key_port(port)

    async def sleep(self, delay: Micros) -> None:
        await self._accessory.site.clock.sleep(delay)

    def record_request(self, method: str, path: str, status: int, peer: str | None) -> None:
        event = RequestReceived(protocol="rest", method=method, path=path, status=str(status), peer=peer)
        self._accessory.emit(event, "lan")

    def lie_told(self, lie: str, what: str) -> None:
        self._accessory.lie_told(lie, what)


class BorderRouterRest:
    """The REST API of one border router while it has power."""

    def __init__(self, app: OtbrApp, server: WebServer, wire: SocketWire, url: str) -> None:
        self.url = url
        self._wire = wire
        self._app = app
        self._server = server

    @classmethod
    async def open(cls, owner: RestOwner, accessory: Accessory) -> "BorderRouterRest":
        """Listen. Raises TransportUnavailableError, which names the port that is taken."""
        hosts = bind_hosts(accessory.site.reach)
        explicit = owner.settings.rest_port is not None and not accessory.site.free_ports
        port = 0 if accessory.site.free_ports else owner.settings.rest_port
        app = OtbrApp(_Node(owner, accessory), lies=otbr_lies(accessory.told_lies))
        wire = SocketWire(accessory.site.lan, accessory.id)
        sockets = []
        try:
            for host in hosts:
                wanted = DEFAULT_PORT if port is None else port
                sockets.append(listen_tcp(host, wanted, f"{accessory.id}: REST", explicit=explicit))
                port, explicit = int(sockets[0].getsockname()[1]), True
            server = await serve_web(app, sockets, wire=wire.protocol)
        except BaseException:
            for sock in sockets:
                sock.close()
            raise
        return cls(app, server, wire, f"http://{shown_host(hosts[0])}:{server.ports[0]}")

    def tell(self, told: Mapping[str, Lie]) -> None:
        """The lies changed."""
        lies = otbr_lies(told)
        if lies != self._app.lies:
            self._app.lies = lies

    async def close(self) -> None:
        """Stop listening; answers under way may finish."""
        await self._server.close(grace_s=0.2)
        self._wire.close()
