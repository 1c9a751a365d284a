"""NAN beacons: how masters show their cluster, and keep its clock.

A sync beacon is sent inside a discovery window, a discovery beacon between them; receivers tell them apart by the
beacon interval alone. When to send which is `cluster`'s business.
Source: Wi-Fi Aware specification 4.0, section 9.1 (NAN beacons); IEEE 802.11-2020, 9.3.3.2.
"""

from dataclasses import dataclass
from typing import TypeVar

from pairing.engine import Micros
from pairing.errors import DecodeError, EncodeError
from pairing.ieee80211.frames import HEADER_LENGTH, ManagementFrame, Subtype
from pairing.nan.attributes import Attribute, Cluster, MasterIndication, find
from pairing.nan.frames import VENDOR_ELEMENT, decode_nan_element, encode_nan_element
from pairing.nan.identifiers import BROADCAST
from pairing.wire import Reader, Writer

SYNC_INTERVAL = 512
DISCOVERY_INTERVAL = 100
SYNC_LIMIT = 128
DISCOVERY_LIMIT = 350
"""Octets of a whole frame."""
CAPABILITY = 0x0420
"""Short preamble and short slot time."""

_A = TypeVar("_A", bound=Attribute)


def master_rank(preference: int, random_factor: int, nmi: bytes) -> int:
    """What devices compare to find their anchor master: preference, then random factor, then address."""
    return int.from_bytes(nmi + bytes((random_factor, preference)), "little")


def rank_octets(rank: int) -> bytes:
    """A rank as it is on the wire: the address in its usual order, random factor, preference."""
    return rank.to_bytes(8, "little")


def rank_preference(rank: int) -> int:
    """The master preference in a rank."""
    return rank >> 56


@dataclass(frozen=True, slots=True, kw_only=True)
class Beacon:
    """Timestamp(8) interval(2) capability(2), the NAN element, and what other elements stand around it."""

    source: bytes
    cluster_id: bytes
    tsf: Micros
    attributes: tuple[Attribute, ...]
    interval: int = SYNC_INTERVAL
    capability: int = CAPABILITY
    destination: bytes = BROADCAST
    preceding: bytes = b""
    following: bytes = b""
    flags: int = 0
    duration: int = 0
    sequence_control: int = 0

    @property
    def is_sync(self) -> bool:
        """A sync beacon, else a discovery beacon."""
        return self.interval == SYNC_INTERVAL

    def find(self, record: type[_A]) -> _A | None:
        """The first attribute of that type, or None."""
        return find(self.attributes, record)

    def encode(self) -> bytes:
        """The frame without FCS."""
        body = Writer().u64le(self.tsf).u16le(self.interval).u16le(self.capability)
        body.raw(self.preceding).raw(encode_nan_element(self.attributes)).raw(self.following)
        return ManagementFrame(
            Subtype.BEACON,
            self.destination,
            self.source,
            self.cluster_id,
            body.getvalue(),
            self.flags,
            self.duration,
            self.sequence_control,
        ).encode()

    @classmethod
    def decode(cls, payload: bytes) -> "Beacon":
        """A beacon with a NAN element; raises DecodeError for any other frame."""
        return cls.read(ManagementFrame.decode(payload))

    @classmethod
    def read(cls, outer: ManagementFrame) -> "Beacon":
        """The NAN beacon in a management frame."""
        if outer.subtype != Subtype.BEACON:
            raise DecodeError(0, f"management subtype {outer.subtype}, expected a beacon ({Subtype.BEACON.value})")
        reader = Reader(outer.body, HEADER_LENGTH)
        tsf, interval, capability = reader.u64le("timestamp"), reader.u16le("interval"), reader.u16le("capability")
        preceding = Writer()
        while reader.remaining:
            element_id, length = reader.u8("element id"), reader.u8("element length")
            base = reader.offset
            body = reader.take(length, "element")
            attributes = decode_nan_element(body, base) if element_id == VENDOR_ELEMENT else None
            if attributes is not None:
                return cls(
                    source=outer.transmitter,
                    cluster_id=outer.bssid,
                    tsf=tsf,
                    attributes=attributes,
                    interval=interval,
                    capability=capability,
                    destination=outer.receiver,
                    preceding=preceding.getvalue(),
                    following=reader.rest(),
                    flags=outer.flags,
                    duration=outer.duration,
                    sequence_control=outer.sequence_control,
                )
            preceding.u8(element_id).block8(body)
        raise reader.fail("the beacon has no NAN element")


def nan_beacon(
    nmi: bytes,
    cluster_id: bytes,
    tsf: Micros,
    indication: MasterIndication,
    cluster: Cluster,
    more: tuple[Attribute, ...] = (),
    *,
    is_sync: bool,
) -> Beacon:
    """A beacon of our own, within its size limit: master indication and cluster first, then what more there is."""
    beacon = Beacon(
        source=nmi,
        cluster_id=cluster_id,
        tsf=tsf,
        attributes=(indication, cluster, *more),
        interval=SYNC_INTERVAL if is_sync else DISCOVERY_INTERVAL,
    )
    limit, length = SYNC_LIMIT if is_sync else DISCOVERY_LIMIT, len(beacon.encode())
    if length > limit:
        raise EncodeError(f"a {'sync' if is_sync else 'discovery'} beacon of {length} octets, expected at most {limit}")
    return beacon
