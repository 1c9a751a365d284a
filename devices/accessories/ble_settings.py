"""Settings of Bluetooth LE accessories: address, advert, GATT table, and how pairing goes.

Source: Bluetooth Core Specification 5.4, Vol 3, Part H, 2.3.5 (pairing methods).
"""

from typing import Literal

from pydantic import Field, field_validator

from devices.accessories.base import Settings
from devices.accessories.wifi_aware_policy import Policy
from devices.bluetooth.tables import AdvertTable, BleAddress, ServiceTable, Table

PairingMethod = Literal[
    "none", "just-works", "passkey-shown", "passkey-typed", "numeric-comparison", "keyboard-and-display"
]


class BlePairingTable(Table):
    """`pairing`: what the accessory can show or have typed, and what its owner does."""

    method: PairingMethod = Field("just-works", description="none: it refuses to pair")
    accept: Policy = Field("always", description="what its owner says to the request, or to the two numbers")
    passkey: str | None = Field(None, pattern=r"^[0-9]{6}$", description="default: drawn at each attempt")
    code: Literal["right", "wrong", "wrong-then-right", "none"] = Field(
        "right", description="what its owner types where the other side shows the number; none: wait for accept"
    )
    bond: bool = Field(True, description="false: the key is forgotten with the connection")

    @field_validator("passkey")
    @classmethod
    def _not_zero(cls, passkey: str | None) -> str | None:
        if passkey == "000000":
            raise ValueError("the passkey 000000 hangs the emulated stack; take another")
        return passkey


class BleSettings(Settings):
    """A Bluetooth LE peripheral."""

    address: BleAddress | None = Field(None, description="default: a static random one, drawn")
    address_type: Literal["random", "public"] = "random"
    mtu: int = Field(185, ge=23, le=517)
    advert: AdvertTable = Field(AdvertTable())
    pairing: BlePairingTable = Field(BlePairingTable())
    service: list[ServiceTable] = Field([], description="the GATT table")
    max_connections: int = Field(1, ge=1, le=8, description="it advertises until so many centrals are connected")
