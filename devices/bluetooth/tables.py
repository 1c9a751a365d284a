"""Tables of home files for Bluetooth LE: what is advertised, and the GATT table. Nothing here needs Bumble.

Values are hex (`value`), text (`text`) or a number of so many octets, little-endian as GATT has them (`number`).
Source: Bluetooth Core Specification Supplement 11, Part A; Core Specification 5.4, Vol 3, Parts C, F, G and H.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from devices.spec import Duration, Period

LONGEST_ADVERT = 31
LONGEST_VALUE = 512
PROPERTY_NAMES = (
    "broadcast",
    "read",
    "write-without-response",
    "write",
    "notify",
    "indicate",
    "authenticated-signed-writes",
    "extended-properties",
)
"""The bits of a characteristic's properties, the lowest first. Core Specification 5.4, Vol 3, Part G, 3.3.1.1."""
BASE_UUID_TAIL = "-0000-1000-8000-00805f9b34fb"


def short_uuid(text: str) -> str:
    """The shortest form of a UUID: `180f` for one of the Bluetooth SIG's, else 36 characters, in lower case."""
    lower = text.lower()
    if lower.endswith(BASE_UUID_TAIL):
        head = lower.removesuffix(BASE_UUID_TAIL)
        return head.removeprefix("0000") if head.startswith("0000") else head
    return lower


def property_names(bits: int) -> list[str]:
    """The properties whose bits are set."""
    return [name for bit, name in enumerate(PROPERTY_NAMES) if bits >> bit & 1]


def long_uuid(uuid: str) -> str:
    """All 36 characters of a UUID in lower case."""
    lower = uuid.lower()
    return lower if len(lower) == 36 else f"{lower:0>8}{BASE_UUID_TAIL}"


def checked_uuid(text: str) -> str:
    """A UUID in its shortest form. Raises ValueError."""
    bare = text.lower().removeprefix("0x")
    if re.fullmatch(r"[0-9a-f]{4}|[0-9a-f]{8}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bare):
        return short_uuid(bare)
    raise ValueError(f"a UUID has 4 or 8 hex digits, or 36 characters with dashes; not {text!r}")


def _checked_hex(text: str) -> str:
    bare = text.replace(" ", "").replace(":", "").lower()
    if len(bare) % 2 or re.search("[^0-9a-f]", bare):
        raise ValueError(f"octets are written as pairs of hex digits; not {text!r}")
    return bare


def _checked_address(text: str) -> str:
    octets = _checked_hex(text.replace("-", ":"))
    if len(octets) != 12:
        raise ValueError(f"an address is six octets, such as C4:00:00:00:00:01; not {text!r}")
    return bytes.fromhex(octets).hex(":").upper()


Uuid = Annotated[str, AfterValidator(checked_uuid)]
Hex = Annotated[str, AfterValidator(_checked_hex)]
BleAddress = Annotated[str, AfterValidator(_checked_address)]
Property = Literal["read", "write", "write-without-response", "notify", "indicate"]
Security = Literal["open", "encrypted", "authenticated"]


class Table(BaseModel):
    """A table of a home file: closed and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NotifyTable(Table):
    """`notify`: a value that changes by itself, told to whoever has subscribed."""

    every: Period = Field("1s", description="time from one value to the next")
    values: list[Hex] = Field([], description="these in turn, for ever; empty: the value that there is")


class DescriptorTable(Table):
    """One descriptor; 2902 comes by itself."""

    uuid: Uuid
    value: Hex = ""
    writable: bool = False

    @field_validator("uuid")
    @classmethod
    def _not_the_stacks(cls, uuid: str) -> str:
        if uuid in ("2800", "2801", "2802", "2803", "2902"):
            raise ValueError(f"{uuid} is made by the stack")
        return uuid


class CharacteristicTable(Table):
    """One characteristic."""

    uuid: Uuid
    properties: list[Property] = Field(["read"])
    value: Hex | None = None
    text: str | None = None
    number: int | None = None
    size: int = Field(1, ge=1, le=8, description="octets of `number`")
    security: Security = Field("open", description="encrypted: after pairing; authenticated: after one with a number")
    notify: NotifyTable | None = None
    descriptor: list[DescriptorTable] = []

    @model_validator(mode="after")
    def _one_value(self) -> "CharacteristicTable":
        if sum(each is not None for each in (self.value, self.text, self.number)) > 1:
            raise ValueError("a characteristic has one of value, text and number")
        if self.number is not None and not -(1 << 8 * self.size - 1) <= self.number < 1 << 8 * self.size:
            raise ValueError(f"{self.number} does not fit into {self.size} octets")
        if len(self.octets) > LONGEST_VALUE:
            raise ValueError(f"an attribute has at most {LONGEST_VALUE} octets, not {len(self.octets)}")
        if self.notify is not None and not {"notify", "indicate"} & set(self.properties):
            raise ValueError('a value that is told to subscribers needs the property "notify" or "indicate"')
        return self

    @property
    def octets(self) -> bytes:
        """The value at power-on."""
        if self.text is not None:
            return self.text.encode()
        if self.number is not None:
            return self.number.to_bytes(self.size, "little", signed=self.number < 0)
        return bytes.fromhex(self.value or "")


class ServiceTable(Table):
    """One primary service."""

    uuid: Uuid
    characteristic: list[CharacteristicTable] = []


class AdvertTable(Table):
    """`advert`: what is said before anybody connects."""

    interval: Duration = Field("200ms", description="20 ms to 10.24 s")
    connectable: bool = True
    flags: int | None = Field(0x06, ge=0, le=255, description="null leaves them out")
    name: Literal["advert", "scan-response", "none"] = Field("scan-response", description="where the name is told")
    services: list[Uuid] | None = Field(None, description="default: the services of the GATT table")
    service_data: dict[Uuid, Hex] = {}
    manufacturer: dict[str, Hex] = Field({}, description="company id in hex (004c) to its octets")
    appearance: int | None = Field(None, ge=0, le=0xFFFF)
    tx_power: int | None = Field(None, ge=-127, le=20)
    data: Hex | None = Field(None, description="the whole advert instead of all the above")
    scan_response: Hex | None = Field(None, description="the whole scan response instead")

    @field_validator("manufacturer")
    @classmethod
    def _company_ids(cls, table: dict[str, str]) -> dict[str, str]:
        for company in table:
            if not re.fullmatch(r"(0x)?[0-9a-fA-F]{4}", company):
                raise ValueError(f"a company id has four hex digits, such as 004c; not {company!r}")
        return {company.lower().removeprefix("0x"): octets for company, octets in table.items()}

    @field_validator("data", "scan_response")
    @classmethod
    def _short_enough(cls, octets: str | None) -> str | None:
        if octets is not None and len(octets) > 2 * LONGEST_ADVERT:
            raise ValueError(f"an advert has at most {LONGEST_ADVERT} octets, not {len(octets) // 2}")
        return octets
