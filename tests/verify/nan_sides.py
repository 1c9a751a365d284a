"""One side of a recorded Wi-Fi Aware exchange as our device: its configuration as its frames show it, its user's
decisions as the flow names them, its randomness as recorded."""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from pairing.engine import Event, Micros, Outputs, Transmit
from pairing.ieee80211.elements import Akm
from pairing.ieee80211.frames import ManagementFrame
from pairing.ieee80211.key_data import LIFETIME_TYPE, WFA_OUI, KeyLifetimeKde, find_kde, split_key_data
from pairing.keys import PairedPeer
from pairing.nan.attributes import (
    Availability,
    BootstrappingMethods,
    CipherSuiteInfo,
    DeviceCapability,
    DeviceCapabilityExtension,
    ElementContainer,
    Ndc,
    Ndl,
    NdlControl,
    NdlQos,
    NpbaType,
    PairingBootstrapping,
    PairingBootstrappingExtension,
    SdeaControl,
    ServiceControlType,
    ServiceDescriptor,
    ServiceDescriptorExtension,
    ServiceProtocolType,
    UnalignedSchedule,
    unwrap_service_info,
)
from pairing.nan.bootstrapping_rules import REFERENCE_PEER
from pairing.nan.data_path_rules import DataPathSettings
from pairing.nan.data_path_terms import ndp_of, told_interface_id
from pairing.nan.device import NanDevice
from pairing.nan.device_settings import NanDeviceSettings
from pairing.nan.frames import NafSubtype, NanActionFrame, NanFrame, ServiceDiscoveryFrame, decode_nan_frame
from pairing.nan.pairing_rules import REFERENCE_PEER_PAIRING
from pairing.nan.sessions import Publish, Session, Subscribe
from pairing.pasn.messages import PasnFrame
from tests.verify.mismatch import Mismatch

Document = dict[str, Any]
ROLES = ("initiator", "responder")
NIRA_NONCE = 8
ONCE: Micros = 10**12
"""The period of announcements that do not come again."""


def octets(text: str) -> bytes:
    """Hexadecimal of a file."""
    return bytes.fromhex(text)


@dataclass(frozen=True)
class Recorded:
    """One frame of the file."""

    index: int
    sender: str
    kind: str
    at: Micros
    payload: bytes
    sealed: bytes | None

    @property
    def header(self) -> ManagementFrame:
        """The frame's header and body."""
        return ManagementFrame.decode(self.payload)

    @property
    def nan(self) -> NanFrame:
        """The frame as SDF or NAF."""
        return decode_nan_frame(self.payload)

    @property
    def is_auth(self) -> bool:
        """Whether it is one of PASN's frames."""
        return self.kind.startswith("auth")


def recorded_frames(document: Document) -> list[Recorded]:
    """The frames in order."""
    return [
        Recorded(
            index,
            each["from"],
            each["kind"],
            round(each["t_ms"] * 1000),
            octets(each["hex"]),
            octets(each["protected_hex"]) if "protected_hex" in each else None,
        )
        for index, each in enumerate(document["frames"])
    ]


class RecordedEntropy:
    """Recorded draws: those of PASN while it is at work, the others each by its length and in order."""

    def __init__(self, draws: list[bytes], pasn: list[bytes]) -> None:
        self.draws = draws
        self.pasn = pasn
        self.is_pasn_at_work = False

    def __call__(self, length: int) -> bytes:
        if self.is_pasn_at_work and length != NIRA_NONCE:
            drawn = self.pasn.pop(0)
        else:
            drawn = self.draws.pop(next(place for place, each in enumerate(self.draws) if len(each) == length))
        assert len(drawn) == length
        return drawn


@dataclass
class SideOfFile:
    """What the file says of one side."""

    document: Document
    role: str
    frames: list[Recorded]
    own: list[Recorded] = field(init=False)

    def __post_init__(self) -> None:
        for name, allowed in (("mode", (None, "pasn", "sae", "pmk")), ("cipher", ("128", "256"))):
            value = self.parameters.get(name)
            if value not in allowed:
                raise Mismatch(f"parameters.{name}", allowed, value)
        self.own = [each for each in self.frames if each.sender == self.role]

    @property
    def recorded(self) -> Document:
        """The side's part of the file."""
        return self.document[self.role]  # type: ignore[no-any-return]

    @property
    def parameters(self) -> Document:
        """What both were started with."""
        return self.document["parameters"]  # type: ignore[no-any-return]

    def secret(self, name: str) -> str | None:
        """`password` or `ndp_pass`, the side's own where they differ."""
        return self.parameters.get(f"{self.role}_{name}", self.parameters.get(name))

    @property
    def suite(self) -> int:
        """The pairing suite."""
        return 8 if self.parameters["cipher"] == "256" else 7

    @property
    def data_path_suite(self) -> int | None:
        """The suite of a data path with a passphrase."""
        named = self.parameters.get("ndp_csid")
        return None if named is None else int(named)

    def key(self, name: str) -> bytes:
        """One of the side's recorded addresses or keys."""
        return octets(self.recorded["keys"][name])

    # Configuration out of the side's frames.

    @property
    def discovery_frames(self) -> list[ServiceDiscoveryFrame]:
        """The SDFs of the side."""
        decoded = [each.nan for each in self.own if not each.is_auth]
        return [each for each in decoded if isinstance(each, ServiceDiscoveryFrame)]

    @property
    def action_frames(self) -> list[NanActionFrame]:
        """The NAFs of the side."""
        decoded = [each.nan for each in self.own if not each.is_auth]
        return [each for each in decoded if isinstance(each, NanActionFrame)]

    def settings(self) -> NanDeviceSettings:
        """The device."""
        first = next(each.nan for each in self.own if not each.is_auth)
        has_cache = "cached" in self.recorded
        return NanDeviceSettings(
            nmi=self.key("own_nmi"),
            ndi=self.key("own_ndi"),
            cluster_id=self.key("cluster_id"),
            device_capability=first.find(DeviceCapability),
            availability=first.find_all(Availability),
            bootstrapping=replace(REFERENCE_PEER, comeback_after=self._comeback_after()),
            pairing=replace(REFERENCE_PEER_PAIRING, lifetime_s=self._lifetime()),
            data_path=self._data_path(),
            is_encrypting=any(each.sealed is not None for each in self.frames),
            nik=self.key("own_nik") if has_cache else None,
            paired=(self._paired(),) if has_cache else (),
        )

    def entropy(self) -> RecordedEntropy:
        """What the side drew."""
        recorded = self.recorded
        pasn = [recorded["pasn"]["ecdh_private"]] if "ecdh_private" in recorded.get("pasn", {}) else []
        pasn += [recorded["sae"][name] for name in ("rand", "mask") if name in recorded.get("sae", {})]
        return RecordedEntropy([octets(each) for each in recorded["random_draws"]], [octets(each) for each in pasn])

    def session(self) -> Session:
        """The publish or subscribe that the side ran."""
        frames = self.discovery_frames
        announced = [each for each in frames if _descriptor(each).type is not ServiceControlType.FOLLOW_UP]
        frame = (announced or frames)[0]
        descriptor, extension = _descriptor(frame), frame.find(ServiceDescriptorExtension)
        protocol, info = service_info_of(frame) if announced else (ServiceProtocolType.GENERIC, b"")
        setup = next((each for each in (f.find(PairingBootstrappingExtension) for f in frames) if each), None)
        common: Document = {
            "name": self.parameters["service"],
            "instance_id": descriptor.instance_id,
            "service_info": info,
            "protocol": protocol,
            "is_service_info_in_sda": descriptor.service_info is not None,
            "matching_filter": descriptor.matching_filter,
            "sdea_control": SdeaControl.NONE if extension is None else extension.control,
            "element_container": frame.find(ElementContainer),
            "device_capability_extension": frame.find(DeviceCapabilityExtension),
            "setup_info": None if setup is None else setup.setup_info,
        }
        if self.role == "initiator":
            is_active = any(_descriptor(each).type is ServiceControlType.SUBSCRIBE for each in frames)
            return Subscribe(**common, is_active=is_active, query_period=None, peer_timeout=None)
        return Publish(
            **common,
            is_unsolicited=self.announcement_period is not None,
            announcement_period=self.announcement_period,
            range_limit=None if extension is None else extension.range_limit,
            update_indicator=None if extension is None else extension.update_indicator,
            methods=_advertised(frames),
            cipher_suites=frame.find(CipherSuiteInfo),
        )

    @property
    def announcement_period(self) -> Micros | None:
        """How often a publisher announces, if nobody asked it; the times of the file are a timer."""
        if any(each.kind == "subscribe" for each in self.frames):
            return None
        times = [each.at for each in self.own if each.kind == "publish"]
        return min((later - earlier for earlier, later in pairwise(times)), default=ONCE)

    def _comeback_after(self) -> int:
        told = [each.comeback_after for frame in self.discovery_frames for each in frame.find_all(PairingBootstrapping)]
        return next((each for each in told if each is not None), 1024)

    def _lifetime(self) -> int:
        """Configuration, though the file has it only inside key data."""
        key_data = self.recorded.get("nik_exchange", {}).get("own_key_data")
        kde = None if key_data is None else find_kde(split_key_data(octets(key_data)), WFA_OUI, LIFETIME_TYPE)
        return 0 if kde is None else KeyLifetimeKde.decode(kde).seconds

    def _paired(self) -> PairedPeer:
        cached = self.recorded["cached"]
        return PairedPeer(
            own_nik=self.key("own_nik"),
            peer_nik=octets(cached["peer_nik"]),
            npk=octets(cached["npk"]),
            akm=self._akm(),
            suite=self.suite,
        )

    def _akm(self) -> Akm:
        frame = next(each for each in self.frames if each.kind == "auth1")
        return Akm(PasnFrame.decode(frame.header.body).rsne.akms[0])

    def _data_path(self) -> DataPathSettings:
        frames = self.action_frames
        made = DataPathSettings(is_refusal_blank=True)
        setup = (NafSubtype.DATA_PATH_REQUEST, NafSubtype.DATA_PATH_RESPONSE)
        for frame in (each for each in frames if each.subtype in setup):
            ndc, ndl, suites = frame.find(Ndc), frame.find(Ndl), frame.find(CipherSuiteInfo)
            if ndc is not None:
                made = replace(made, ndc_entries=ndc.entries, ndc_control=ndc.control)
            if ndl is not None:
                made = replace(made, max_idle=ndl.max_idle)
                made = replace(made, ndl_control=ndl.control) if ndl.control != NdlControl.NONE else made
            if suites is not None:
                made = replace(made, security_capabilities=suites.capabilities)
            made = replace(made, qos=frame.find(NdlQos), unaligned_schedules=frame.find_all(UnalignedSchedule))
        told = [ndp for ndp in map(ndp_of, frames) if ndp is not None]
        return replace(made, is_interface_id_told=any(told_interface_id(ndp) is not None for ndp in told))


def _descriptor(frame: ServiceDiscoveryFrame) -> ServiceDescriptor:
    found = frame.find(ServiceDescriptor)
    assert found is not None
    return found


def service_info_of(frame: ServiceDiscoveryFrame) -> tuple[int, bytes]:
    """Protocol and octets of the application's service info in a frame."""
    extension = frame.find(ServiceDescriptorExtension)
    if extension is not None and extension.service_info is not None:
        return unwrap_service_info(extension.service_info) or (ServiceProtocolType.GENERIC, b"")
    return ServiceProtocolType.GENERIC, _descriptor(frame).service_info or b""


def _advertised(frames: list[ServiceDiscoveryFrame]) -> BootstrappingMethods:
    for frame in frames:
        for each in frame.find_all(PairingBootstrapping):
            if each.type == NpbaType.ADVERTISE:
                return each.methods
    return BootstrappingMethods.NONE


class PlayedSide:
    """Our device in that role, with what it put out and not yet been looked at."""

    def __init__(self, file: SideOfFile) -> None:
        self.file = file
        self.entropy = file.entropy()
        self.device = NanDevice(file.settings(), self.entropy)
        self.pending: list[bytes] = []
        self.events: list[Event] = []

    def take(self, outputs: Outputs) -> None:
        """What the engine returned."""
        for output in outputs:
            if isinstance(output, Transmit):
                self.pending.append(output.payload)
            else:
                self.events.append(output)

    def start(self) -> None:
        """Begin the session."""
        session = self.file.session()
        if isinstance(session, Publish):
            self.take(self.device.publish(session, 0, passphrase=self.file.secret("ndp_pass")))
        else:
            self.take(self.device.subscribe(session, 0))

    def pass_time(self, until: Micros) -> None:
        """Let everything happen that is due."""
        for _ in range(10_000):
            deadline = self.device.deadline
            if deadline is None or deadline > until:
                return
            self.take(self.device.handle_timeout(deadline))
        raise AssertionError("time does not pass")
