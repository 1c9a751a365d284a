"""Request bodies of a phone's Wi-Fi Aware routes in Apple's shape; Android's methods take their own arguments."""

from typing import Literal

from pydantic import Field

from devices.control.bodies import Body
from devices.spec import Duration

_PRODUCE = "end in this WAError case instead of doing it"


class PairingViewBody(Body):
    """A DevicePairingView to present."""

    service: str = Field(examples=["_sat-simulation._udp"])
    produce: str | None = Field(None, description=_PRODUCE)


class PickBody(Body):
    """Whom its user picks in a DevicePicker; several members have to fit all."""

    service: str = Field("", description="default: whatever the home's accessories publish and the app declares")
    target: str = Field("", description="an accessory's id, a name, a model, a service ID or an address")
    name: str = Field("", description="the pairing name")
    model: str = ""
    service_id: str = Field("", description="six octets in hex")
    code: str | None = Field(None, description="what its user types; default: as the phone's `code` says")
    within: Duration | None = Field(None, description="how long to look; default: the phone's search_budget")
    wait: bool = Field(True, description="false: answer as soon as the request is on the air")
    produce: str | None = Field(None, description=_PRODUCE)


class RenameBody(Body):
    """What its user calls a paired device."""

    name: str = Field(min_length=1, max_length=200)


class RunBody(Body):
    """A NetworkListener or NetworkBrowser."""

    service: str = Field(examples=["_sat-simulation._udp"])
    devices: Literal["all-paired", "user-specified"] | list[str] = Field(
        "all-paired", description="or a list of ids of paired devices"
    )
    active: Duration | None = Field(None, description="how long it runs before it fails with a timeout")
    produce: str | None = Field(None, description=_PRODUCE)


class ConnectBody(Body):
    """A NetworkConnection."""

    to: str = Field(description="an endpoint of a browser, a paired device's id or name, or an accessory's id")
    service: str = ""
    security: Literal["paired", "open", "passphrase", "pmk"] = Field(
        "paired", description="anything else is what this platform refuses"
    )
    within: Duration | None = None
    produce: str | None = Field(None, description=_PRODUCE)


class EndBody(Body):
    """How something that runs fails."""

    case: str = Field(description="a WAError case", examples=["connectionIdleTimeout"])
