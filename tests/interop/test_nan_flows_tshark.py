"""Every exchange of ours, exported as pcapng and read by tshark: nothing malformed, no error that is not named here.

All flows go into one capture. Protected frames are opened by tshark itself with the pairing's NM-TK, so that it judges
CCMP-128 and GCMP-256 too.
"""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from devices.transcripts.export import to_pcapng
from devices.transcripts.pcapng import PcapngWriter
from tests.support.nan_capture import captures
from tests.support.nan_flows import FLOWS, ONE_BIT, Flow
from tests.support.needs import requires_tools

pytestmark = pytest.mark.interop
NOTE = 0x400000
"""The least severity of Wireshark's expert information that counts; below it are comments, one a frame, and chat."""
MALFORMED = "Malformed Packet (Exception occurred)"
UNKNOWN_ATTRIBUTES = {"42", "43", "44", "47"}
"""DCEA, NIRA, NPBA and its extension: the dissector knows attributes up to 0x29."""
REJECTED = "2"
FIELDS = {
    "info": "_ws.col.Info",
    "malformed": "_ws.malformed",
    "severities": "_ws.expert.severity",
    "messages": "_ws.expert.message",
    "attributes": "nan.attribute.type",
    "algorithm": "wlan.fixed.auth.alg",
    "status": "nan.status",
    "protected": "wlan.fc.protected",
}
KINDS = {
    *("Sync Beacon frame", "Discovery Beacon frame", "SDF Publish", "SDF Subscribe", "SDF Follow up"),
    *("Data Path Request Action", "Data Path Response Action", "Data Path Confirm Action"),
    *("Data Path Key Installment Action", "Data Path Termination Action"),
}


@dataclass(frozen=True)
class Read:
    """What tshark makes of one frame: field to its values."""

    flow: str
    values: Mapping[str, list[str]]

    @property
    def kind(self) -> str:
        """The first words of its summary."""
        return "" if not self.values["info"] else self.values["info"][0].split(",")[0]

    @property
    def complaints(self) -> list[str]:
        """Everything that is more than a comment or chat."""
        found = zip(self.values["severities"], self.values["messages"], strict=True)
        return [message for severity, message in found if int(severity) >= NOTE]

    @property
    def is_read(self) -> bool:
        """Whether it found something of NAN or PASN in it."""
        return bool(self.values["attributes"] or self.values["algorithm"])


def tshark(capture: Path, flows: list[str], keys: frozenset[bytes] = frozenset()) -> list[Read]:
    """Every frame of a capture; `flows` names the flow of each."""
    requires_tools("tshark")
    columns = [part for field in FIELDS.values() for part in ("-e", field)]
    opened = [part for key in sorted(keys) for part in ("-o", f'uat:80211_keys:"tk","{key.hex()}"')]
    command = ["tshark", "-r", str(capture), "-o", "wlan.enable_decryption:TRUE", *opened]
    command += ["-T", "fields", "-E", "aggregator=|", *columns]
    lines = subprocess.run(command, check=True, text=True, capture_output=True).stdout.split("\n")[:-1]
    assert len(lines) == len(flows)
    rows = [[value.split("|") if value else [] for value in line.split("\t")] for line in lines]
    return [Read(flow, dict(zip(FIELDS, row, strict=True))) for flow, row in zip(flows, rows, strict=True)]


@cache
def flows() -> Mapping[str, Flow]:
    """Every flow, lived through once."""
    return {name: make() for name, make in FLOWS.items()}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """All flows in one capture, and the flow of each of its frames."""
    path = tmp_path_factory.mktemp("tshark") / "flows.pcapng"
    frames = [(name, frame) for name, flow in flows().items() for frame in flow.frames]
    with path.open("wb") as file:
        to_pcapng((frame for _, frame in frames), file.write)
    return path, [name for name, _ in frames]


@pytest.fixture(scope="module")
def read(exported: tuple[Path, list[str]]) -> list[Read]:
    """What tshark makes of it with every key."""
    return tshark(*exported, frozenset(key for flow in flows().values() for key in flow.keys))


# What its dissector cannot know, each limit with its name.


def is_unknown_attribute(frame: Read, message: str) -> bool:
    """One message for each attribute that it cannot know, and for nothing else."""
    told = frame.complaints.count("Unknown attribute ID")
    there = sum(attribute in UNKNOWN_ATTRIBUTES for attribute in frame.values["attributes"])
    return message == "Unknown attribute ID" and told == there


def is_nan_element_of_pasn(frame: Read, message: str) -> bool:
    """It takes a NAN element for a beacon's, and an Authentication frame is none."""
    return message == "Unknown beacon type - Beacon type detection error" and frame.values["algorithm"][:1] == ["7"]


def is_long_mic_of_pasn(frame: Read, message: str) -> bool:
    """Opportunistic pairing with suite 8 has a MIC of 24 octets, and it expects 16."""
    is_one = frame.flow in ("opportunistic suite 8", "verification opportunistic suite 8")
    return is_one and message == "MIC Tag Length 24 wrong, must be = 16"


def is_supported_groups(frame: Read, message: str) -> bool:
    """It does not know the element of the groups that a responder supports (255/161), and only notes that."""
    return message.startswith("Dissector for 802.11 Extension Tag (161) code not implemented")


def is_rejected_data_path(frame: Read, message: str) -> bool:
    """It reads a responder's NDI from every response, and one that rejects has none: the reference peer's neither."""
    is_one = frame.kind == "Data Path Response Action" and frame.values["status"] == [REJECTED]
    return is_one and message == MALFORMED


LIMITS = (
    is_unknown_attribute,
    is_nan_element_of_pasn,
    is_supported_groups,
    is_long_mic_of_pasn,
    is_rejected_data_path,
)


# What it finds.


@pytest.mark.parametrize(
    ("begins", "event"),
    [
        ("bootstrapping accepted", "BootstrappingCompleted"),
        ("bootstrapping rejected", "BootstrappingFailed"),
        *((f"bootstrapping {method.name}", "PairingCompleted") for method in ONE_BIT),
        *((f"{way} suite", "PairingCompleted") for way in ("password", "password protected", "opportunistic")),
        ("without NIK exchange", "PairingCompleted"),
        ("wrong password", "PairingFailed"),
        ("pairing", "PairingFailed"),
        ("verification", "PairingVerified"),
        ("data path open", "DataPathClosed"),
        *((f"data path {way} suite", "DataPathClosed") for way in ("passphrase", "group keys", "paired")),
        ("data path wrong passphrase", "DataPathFailed"),
        ("data path rejected", "DataPathFailed"),
        ("data path passphrase rejected", "DataPathFailed"),
    ],
)
def test_what_is_shown_to_it_is_what_it_is_called(begins: str, event: str) -> None:
    found = [flow.happened for name, flow in flows().items() if name.startswith(begins)]
    assert found
    assert all(event in happened for happened in found)


def test_nothing_is_malformed_and_no_error_is_without_a_name(read: list[Read]) -> None:
    unnamed = {
        (frame.flow, frame.kind, message)
        for frame in read
        for message in frame.complaints
        if not any(limit(frame, message) for limit in LIMITS)
    }
    assert unnamed == set()


def test_malformed_are_only_long_mics_and_rejections(read: list[Read]) -> None:
    malformed = [frame for frame in read if frame.values["malformed"]]
    limits = (is_long_mic_of_pasn, is_rejected_data_path)
    assert all(any(limit(frame, text) for limit in limits for text in frame.complaints) for frame in malformed)
    assert {frame.flow for frame in malformed if is_rejected_data_path(frame, MALFORMED)} == {
        "data path rejected",
        "data path passphrase rejected blank",
        "data path passphrase rejected in full",
        "lie reject-data-path",
    }


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.__name__)
def test_each_limit_is_met(limit: Callable[[Read, str], bool], read: list[Read]) -> None:
    assert any(limit(frame, message) for frame in read for message in frame.complaints)


def test_every_kind_of_frame_is_read_and_protected_ones_are_opened(read: list[Read]) -> None:
    assert {frame.kind for frame in read if frame.is_read} >= KINDS
    assert {frame.flow for frame in read if not frame.is_read} == set()
    opened = [frame for frame in read if frame.values["protected"] == ["1"] and frame.is_read]
    assert {frame.kind for frame in opened} >= {kind for kind in KINDS if kind.startswith(("SDF F", "Data"))}


def test_no_protected_frame_opens_without_its_key(exported: tuple[Path, list[str]], read: list[Read]) -> None:
    without = tshark(*exported, frozenset({bytes(16), bytes(32)}))
    sealed = [(one, other) for one, other in zip(read, without, strict=True) if one.values["protected"] == ["1"]]
    assert len(sealed) > 50
    assert not any(other.is_read for _, other in sealed)


def test_a_rejection_by_an_independent_device_reads_the_same(tmp_path: Path) -> None:
    recorded = captures()["ndp_rejected_01"].frames
    path = tmp_path / "theirs.pcapng"
    with path.open("wb") as file:
        writer = PcapngWriter(file.write)
        for frame in recorded:
            writer.frame("air", 0, frame.octets)
    refusal = tshark(path, ["theirs"] * len(recorded))[-1]
    assert is_rejected_data_path(refusal, refusal.complaints[-1])
