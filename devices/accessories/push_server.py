"""A server that phones keep a connection to so that it can push: it answers pings, warns of silence, and closes.

The lines are `push_protocol`'s; where it listens is `tcp_service`'s.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from devices.accessories.base import Accessory, Settings
from devices.accessories.bonjour_presence import MEDIUM
from devices.accessories.push_protocol import Patience, PushRoom
from devices.accessories.registry import accessory
from devices.accessories.tcp_service import Advert, TcpDoor, start_stall
from devices.actor import Site, verb
from devices.errors import ActionRefusedError
from devices.media.abrupt import Order, steps_in
from devices.service_events import PushSent
from devices.spec import Duration, duration_us
from pairing.dnssd.names import type_name
from pairing.errors import EncodeError

PushText = Annotated[str, Field(max_length=1000, pattern=r"^[^\r\n]*$")]


class ServiceSettings(Settings):
    """What services of TCP have in common."""

    service: str = Field("_pairlab-push._tcp", examples=["_example._tcp"])
    """The service type by which it is found."""
    port: int = Field(0, ge=0, le=65535)
    """0 = any."""

    @field_validator("service")
    @classmethod
    def _is_a_type(cls, service: str) -> str:
        try:
            type_name(service)
        except EncodeError as problem:
            raise ValueError(str(problem)) from None
        if not service.endswith("._tcp"):
            raise ValueError(f"a service over TCP ends in ._tcp, not {service!r}")
        return service


class SilenceSettings(ServiceSettings):
    """And those that mind silence."""

    warn_after: Duration = "16s"
    """Silence of a client after which the log says so; 0s = never."""
    close_after: Duration = "30s"
    """Silence after which the server closes; 0s = never."""

    @model_validator(mode="after")
    def _warns_before_it_closes(self) -> "SilenceSettings":
        warn, close = duration_us(self.warn_after), duration_us(self.close_after)
        if warn and close and warn >= close:
            raise ValueError("warn_after is less than close_after")
        return self

    @property
    def patience(self) -> Patience:
        """As the protocol has it."""
        return Patience(duration_us(self.warn_after) or None, duration_us(self.close_after) or None)


class PushService(Accessory):
    """What a server with push connections does, plain or behind TLS."""

    settings: SilenceSettings

    def __init__(self, site: Site, actor_id: str, name: str, settings: SilenceSettings) -> None:
        super().__init__(site, actor_id, name, settings)
        self.door = TcpDoor(self, settings.port, explicit=settings.port != 0)
        self.room = PushRoom(site.clock, settings.patience, lambda event: self.emit(event, MEDIUM))
        self.advert = Advert(self, settings.service)

    @property
    def facts(self) -> Mapping[str, Any]:
        room = self.room
        return {
            "service": self.settings.service,
            "port": self.door.port,
            "connections": len(room.connections),
            "octets_in": room.octets_in,
            "octets_out": room.octets_out,
            "silences": room.silences,
            "false_disconnects": room.false_disconnects,
        }

    async def _stop(self, *, goodbye: bool) -> None:
        self.advert.stop(goodbye=goodbye)
        if goodbye:
            self.room.close("power-off")
        else:
            self.room.vanish()
        self.door.close()

    @verb("push")
    async def _do_push(self, text: PushText) -> Mapping[str, Any]:
        """Say something to every client that is connected."""
        self._require_power()
        clients = self.room.push(text)
        self.emit(PushSent(clients=clients, text=text), MEDIUM)
        return {"clients": clients}

    @verb("notify")
    async def _do_notify(self, text: PushText) -> Mapping[str, Any]:
        """The same, by its other name."""
        return await self._do_push(text)

    @verb("close-abruptly")
    async def _do_close_abruptly(self, order: Order = "at-once", pending: Duration = "0s") -> Mapping[str, Any]:
        """Cut every connection off with RST, `pending` after it stops reading, so that writes pile up."""
        self._require_power()
        return {"connections": self.room.cut(steps_in(order, duration_us(pending)))}

    @verb("stall")
    async def _do_stall(
        self,
        duration: Duration = "30s",
        direction: Literal["in", "out", "both"] = "both",
        ending: Literal["resume", "lost"] = "resume",
    ) -> None:
        """Nothing passes either way for a while, and nobody is told; its own timers go on."""
        self._require_power()
        start_stall(self, duration_us(duration), direction, ending)

    def _require_power(self) -> None:
        if not self.powered:
            raise ActionRefusedError(f"{self.id} is off")


@accessory("push-server")
class PushServer(PushService):
    """A TCP server that answers pings, warns after 16 s of silence and closes after 30 s; its lines are in the docs."""

    settings_model = SilenceSettings

    @property
    def endpoints(self) -> Mapping[str, str]:
        return {"tcp": self.door.place} if self.door.port else {}

    async def _start(self) -> None:
        await self.door.open(self.room.connection)
        self.advert.start(self.door.port)
