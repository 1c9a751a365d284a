"""Recorded Wi-Fi Aware exchanges: the frames of both sides, and each side's configuration as its frames show it."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pairing.engine import Micros, Outputs, Transmit
from pairing.nan.attributes import (
    Availability,
    BootstrappingMethods,
    CipherSuiteInfo,
    DeviceCapability,
    DeviceCapabilityExtension,
    IdentityResolution,
    NpbaType,
    PairingBootstrapping,
    SecurityContextInfo,
    ServiceControlType,
    ServiceDescriptor,
    ServiceDescriptorExtension,
    unwrap_service_info,
)
from pairing.nan.frames import NanFrame, ServiceDiscoveryFrame, decode_nan_frame
from pairing.nan.sessions import LocalDevice, Publish, Session, Subscribe

FOLDER = Path(__file__).parents[1] / "vectors" / "wifi-aware"
ROLES = ("initiator", "responder")


@dataclass(frozen=True)
class Frame:
    """One frame of a capture; `at` in microseconds since the first."""

    sender: str
    kind: str
    at: Micros
    octets: bytes

    @property
    def nan(self) -> NanFrame:
        """The frame as an SDF or NAF."""
        return decode_nan_frame(self.octets)

    @property
    def sdf(self) -> ServiceDiscoveryFrame:
        """The frame as an SDF."""
        frame = self.nan
        assert isinstance(frame, ServiceDiscoveryFrame)
        return frame

    @property
    def descriptor(self) -> ServiceDescriptor:
        """Its service descriptor."""
        found = self.sdf.find(ServiceDescriptor)
        assert found is not None
        return found

    @property
    def service_info(self) -> bytes:
        """The application's octets."""
        extension = self.sdf.find(ServiceDescriptorExtension)
        unwrapped = unwrap_service_info(extension.service_info) if extension and extension.service_info else None
        return unwrapped[1] if unwrapped else b""


@dataclass(frozen=True)
class Capture:
    """One file."""

    name: str
    document: dict[str, Any]

    @property
    def frames(self) -> list[Frame]:
        """All frames in order of transmission."""
        return [
            Frame(each["from"], each["kind"], round(each["t_ms"] * 1000), bytes.fromhex(each["hex"]))
            for each in self.document["frames"]
        ]

    def of(self, role: str, *kinds: str) -> list[Frame]:
        """The frames of one side, all or those of these kinds."""
        return [each for each in self.frames if each.sender == role and (not kinds or each.kind in kinds)]

    def nmi(self, role: str) -> bytes:
        """A side's management address."""
        return bytes.fromhex(self.document[role]["keys"]["own_nmi"])

    def draws(self, role: str) -> list[bytes]:
        """What a side drew at random, in order."""
        return [bytes.fromhex(each) for each in self.document[role]["random_draws"]]

    def device(self, role: str) -> LocalDevice:
        """What every frame of a side carries."""
        frame = self.of(role)[0].sdf
        return LocalDevice(
            nmi=frame.source,
            cluster_id=frame.bssid,
            device_capability=frame.find(DeviceCapability),
            availability=frame.find_all(Availability),
        )

    def session(self, role: str, period: Micros | None = None) -> Session:
        """The publish or subscribe that a side ran."""
        mine = self.of(role)
        first = next((each for each in mine if each.descriptor.type is not ServiceControlType.FOLLOW_UP), mine[0])
        frame, extension = first.sdf, first.sdf.find(ServiceDescriptorExtension)
        common: dict[str, Any] = {
            "name": self.document["parameters"]["service"],
            "instance_id": first.descriptor.instance_id,
            "service_info": first.service_info,
            "device_capability_extension": frame.find(DeviceCapabilityExtension),
            "identity": frame.find(IdentityResolution),
        }
        if extension is not None:
            common["sdea_control"] = extension.control
        if role == "initiator":
            is_active = any(each.kind == "subscribe" for each in mine)
            return Subscribe(**common, is_active=is_active, query_period=None, peer_timeout=None)
        return Publish(
            **common,
            is_unsolicited=period is not None,
            announcement_period=period,
            methods=self.advertised_methods,
            cipher_suites=frame.find(CipherSuiteInfo),
            security_contexts=frame.find(SecurityContextInfo),
        )

    @property
    def advertised_methods(self) -> BootstrappingMethods:
        """The bootstrapping methods in the publish frames."""
        for each in self.of("responder", "publish"):
            for found in each.sdf.find_all(PairingBootstrapping):
                if found.type == NpbaType.ADVERTISE:
                    return found.methods
        return BootstrappingMethods.NONE


@cache
def captures() -> dict[str, Capture]:
    """Every exchange, by file name."""
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if "frames" in document:
            found[path.stem] = Capture(path.stem, document)
    return found


@cache
def known_answers() -> list[dict[str, Any]]:
    """The stand-alone known answers."""
    answers: list[dict[str, Any]] = json.loads((FOLDER / "kats.json").read_text(encoding="utf-8"))["kats"]
    return answers


def sent(outputs: Outputs) -> list[str]:
    """The frames among outputs, as hex."""
    return [each.payload.hex() for each in outputs if isinstance(each, Transmit)]
