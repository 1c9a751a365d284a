"""What a device tells of itself while it is open for pairing: names for a person to pick it by, unauthenticated.

It travels in the PBEA of publish frames and of bootstrapping requests, as strings in the manner of TXT records.
Source: Wi-Fi Aware specification 5.0 as newer public sources read it; the fields are those of a phone's pairing info.
"""

from dataclasses import dataclass

from pairing.dnssd.txt import TxtRecord


@dataclass(frozen=True, slots=True)
class PairingSetupInfo:
    """Pairing name, vendor and model as a picker shows them, and the language they are in."""

    pairing_name: str | None = None
    vendor_name: str | None = None
    model_name: str | None = None
    locale: str | None = None

    @classmethod
    def decode(cls, data: bytes) -> "PairingSetupInfo":
        """Read the strings; unknown keys are left out, broken UTF-8 is replaced. Raises DecodeError if one is cut."""
        record = TxtRecord.decode(data)
        found = {key: value.decode("utf-8", "replace") for key, value in record.items() if value is not None}
        names = (found.get(key) for key in (b"pairingName", b"vendorName", b"modelName", b"locale"))
        return cls(*names)

    def encode(self) -> bytes:
        """The strings that are there."""
        pairs = (
            ("locale", self.locale),
            ("vendorName", self.vendor_name),
            ("modelName", self.model_name),
            ("pairingName", self.pairing_name),
        )
        return TxtRecord.of((key, value.encode()) for key, value in pairs if value is not None).encode()
