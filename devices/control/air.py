"""Routes: what a foreign stack needs to know before it joins the home's Wi-Fi Aware air."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from devices.control.desk import Desk
from devices.spec import AirSpec
from pairing.nan.identifiers import address_text


class TsfDocument(BaseModel):
    """The cluster's time, and how to take part in it."""

    tsf_us: int = Field(description="the TSF now; a 2.4 GHz discovery window begins where it is a multiple of 524288")
    cluster_id: str = Field(description="A3 of every frame of the home")
    discovery_windows: Literal["off", "strict"]
    udp: str | None = Field(description="where programs join with raw frames; null where the air is not open")
    header: Literal["none", "radiotap"]


def air_routes(desk: Desk) -> APIRouter:
    """The clock of the air."""
    router = APIRouter(prefix="/v1/air", tags=["air"])
    live = desk.live

    @router.get("/tsf")
    async def read_tsf() -> TsfDocument:
        """The TSF of every radio of the home, which is one cluster, and the door for foreign ones."""
        spec, hub = live.spec.air or AirSpec(), live.air_hub
        return TsfDocument(
            tsf_us=live.air.tsf(),
            cluster_id=address_text(live.site.cluster_id),
            discovery_windows=spec.discovery_windows,
            udp=None if hub is None else f"{hub.address[0]}:{hub.address[1]}",
            header=spec.header,
        )

    return router
