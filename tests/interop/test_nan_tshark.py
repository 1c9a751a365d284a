"""The NAN frames that we send, read by tshark: none malformed, and every field that its dissector knows as we meant it.

It knows attributes up to 0x29; DCEA, NIRA and NPBA are unknown to it.
"""

import re
import struct
import subprocess
from pathlib import Path

import pytest

from pairing.engine import SECOND, Outputs, Transmit
from pairing.nan.attributes import (
    BootstrappingMethods,
    Cluster,
    ClusterDiscovery,
    CountryCode,
    ElementContainer,
    MasterIndication,
    PublicAvailability,
    ScheduleEntry,
    ServiceIdList,
    SubscribeServiceIdList,
    UnalignedSchedule,
)
from pairing.nan.availability import ChannelEntry, TimeBitmap
from pairing.nan.beacons import master_rank, nan_beacon
from pairing.nan.bootstrapping import Bootstrapping
from pairing.nan.cluster import ClusterEngine, ClusterSettings
from pairing.nan.discovery import Discovery
from pairing.nan.frames import ServiceDiscoveryFrame
from pairing.nan.identifiers import NAN_NETWORK_ID
from pairing.nan.matching_filter import encode_filter
from pairing.nan.service_response_filter import ServiceResponseFilter
from pairing.nan.sessions import Publish, Subscribe
from tests.support.nan_capture import captures
from tests.support.nan_stations import CLUSTER_ID, counting_entropy, local_device, nmi
from tests.support.needs import requires_tools

pytestmark = pytest.mark.interop
LINKTYPE_IEEE802_11 = 105
FIELDS = (
    "_ws.malformed",
    "_ws.col.Info",
    "wlan.fixed.timestamp",
    "nan.master_indication.preference",
    "nan.master_indication.random_factor",
    "nan.cluster.hop_count",
    "nan.service_id",
    "nan.instance_id",
    "nan.sda.requestor_instance_id",
    "nan.sda.matching_filter_val",
    "nan.sda.srf_bloom_filter_index",
    "nan.sda.srf_address_set",
    "nan.sdea.service_update_indicator",
    "nan.sdea.service_info_specific",
    "nan.cluster_disc.time_offset",
    "nan.unaligned_schedule.starting_time",
    "nan.unaligned_schedule.ulw_ctrl.type",
    "nan.time_bitmap.ctrl.period",
    "nan.time_bitmap.ctrl.start_offset",
)


def dissected(frames: list[bytes], path: Path) -> list[dict[str, str]]:
    """What tshark makes of each frame: field to its first value, empty where there is none."""
    requires_tools("tshark")
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_IEEE802_11)
    for number, frame in enumerate(frames):
        data += struct.pack("<IIII", number, 0, len(frame), len(frame)) + frame
    path.write_bytes(data)
    first = ("-T", "fields", "-E", "occurrence=f")
    command = ["tshark", "-r", str(path), *first, *(part for field in FIELDS for part in ("-e", field))]
    lines = subprocess.run(command, check=True, text=True, capture_output=True).stdout.splitlines()
    assert len(lines) == len(frames)
    rows = [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in lines]
    return [{field: _plain(value) for field, value in row.items()} for row in rows]


def _plain(value: str) -> str:
    """Octets without the separators, of which tshark has several."""
    return re.sub("[-:]", "", value) if re.fullmatch("([0-9a-f]{2}[-:])+[0-9a-f]{2}", value) else value


def frames_of(outputs: Outputs) -> list[bytes]:
    return [each.payload for each in outputs if isinstance(each, Transmit)]


def test_beacons_read_as_meant(tmp_path: Path) -> None:
    rank = master_rank(128, 90, nmi(1))
    more = (ServiceIdList((bytes.fromhex("d30b2efaeade"),)),)
    sent = [
        nan_beacon(nmi(1), CLUSTER_ID, 58720256, MasterIndication(128, 90), Cluster(rank, 1, 5), more, is_sync=is_sync)
        for is_sync in (True, False)
    ]
    read = dissected([each.encode() for each in sent], tmp_path / "beacons.pcap")
    assert [each["_ws.col.Info"].split(",")[0] for each in read] == ["Sync Beacon frame", "Discovery Beacon frame"]
    for each in read:
        assert not each["_ws.malformed"]
        assert each["wlan.fixed.timestamp"] == "58720256"
        assert each["nan.master_indication.preference"] == "0x80"
        assert each["nan.master_indication.random_factor"] == "90"
        assert each["nan.cluster.hop_count"] == "1"
        assert each["nan.service_id"] == "d30b2efaeade"


def test_beacons_of_the_engine_are_not_malformed(tmp_path: Path) -> None:
    engine = ClusterEngine(ClusterSettings(nmi=nmi(1), cluster_id=CLUSTER_ID), counting_entropy())
    sent = frames_of(engine.start(0))
    while engine.deadline is not None and engine.deadline < 3 * SECOND:
        sent += frames_of(engine.handle_timeout(engine.deadline))
    read = dissected(sent, tmp_path / "cluster.pcap")
    assert len(read) > 20
    assert not any(each["_ws.malformed"] for each in read)


def test_discovery_and_bootstrapping_read_as_meant(tmp_path: Path) -> None:
    recorded = captures()["password_pin_display_128_01"].device("initiator")
    camera, phone = Discovery(local_device(1)), Discovery(recorded)
    publish = Publish(
        name="_camera._udp",
        instance_id=9,
        service_info=b"hello",
        matching_filter=encode_filter([b"abc", b""]),
        methods=BootstrappingMethods.PIN_DISPLAY,
        update_indicator=1,
    )
    bloom = ServiceResponseFilter.of_bloom([nmi(1)], 10, 2)
    subscribe = Subscribe(
        name="_camera._udp", instance_id=11, matching_filter=encode_filter([b"abc"]), response_filter=bloom
    )
    sent = frames_of([*camera.publish(publish, 0), *phone.subscribe(subscribe, 0)])
    sent += frames_of(phone.follow_up(11, nmi(1), 9, b"hi", 0))
    method = BootstrappingMethods.PIN_KEYPAD
    sent += frames_of(Bootstrapping(phone, counting_entropy()).request(11, nmi(1), 9, method, 0))
    read = dissected(sent, tmp_path / "sdf.pcap")
    kinds = ["SDF Publish", "SDF Subscribe", "SDF Follow up", "SDF Follow up"]
    assert [each["_ws.col.Info"].split(",")[0] for each in read] == kinds
    assert not any(each["_ws.malformed"] for each in read)
    assert [each["nan.service_id"] for each in read] == [publish.service_id.hex()] * 4
    assert [int(each["nan.instance_id"], 0) for each in read] == [9, 11, 11, 11]
    assert [int(each["nan.sda.requestor_instance_id"], 0) for each in read] == [0, 0, 9, 9]
    announced, asked, told, _ = read
    assert announced["nan.sda.matching_filter_val"] == asked["nan.sda.matching_filter_val"] == "616263"
    assert int(announced["nan.sdea.service_update_indicator"], 0) == 1
    assert announced["nan.sdea.service_info_specific"] == b"hello".hex()
    assert int(asked["nan.sda.srf_bloom_filter_index"], 0) == 2
    assert asked["nan.sda.srf_address_set"] == bloom.address_set.hex()
    assert told["nan.sdea.service_info_specific"] == b"hi".hex()


def test_attributes_that_no_capture_has_read_as_meant(tmp_path: Path) -> None:
    frame = ServiceDiscoveryFrame(
        destination=NAN_NETWORK_ID,
        source=nmi(1),
        bssid=CLUSTER_ID,
        attributes=(
            CountryCode(b"DE"),
            ClusterDiscovery(CLUSTER_ID, 7, 8),
            SubscribeServiceIdList((bytes.fromhex("d30b2efaeade"),)),
            UnalignedSchedule(0x0102, 3000, 4, 5, 6, 1, 0x02, ChannelEntry(81, 0x20, 0, 9)),
            PublicAvailability((ScheduleEntry(1, TimeBitmap(b"\xfe", 1, 6, 33)),)),
            ElementContainer(0, bytes.fromhex("030106")),
        ),
    )
    (read,) = dissected([frame.encode()], tmp_path / "attributes.pcap")
    assert not read["_ws.malformed"]
    assert read["nan.cluster_disc.time_offset"] == "7"
    assert read["nan.service_id"] == "d30b2efaeade"
    assert int(read["nan.unaligned_schedule.starting_time"], 0) == 3000
    assert int(read["nan.unaligned_schedule.ulw_ctrl.type"], 0) == 2
    assert int(read["nan.time_bitmap.ctrl.period"], 0) == 6
    assert int(read["nan.time_bitmap.ctrl.start_offset"], 0) == 33
