"""Attributes of beacons and the cluster: master indication, cluster, service IDs, country code, cluster discovery.

Source: Wi-Fi Aware specification 4.0, sections 9.5.2 to 9.5.4; layouts as independent dissectors read them.
"""

from dataclasses import dataclass
from typing import Self

from pairing.nan.attributes.base import AttributeRecord, NanAttributeId, attribute, require_length
from pairing.nan.identifiers import ADDRESS_LENGTH
from pairing.wire import Reader, Writer

SERVICE_ID_LENGTH = 6
RANK_LENGTH = 8


@attribute(NanAttributeId.MASTER_INDICATION)
@dataclass(frozen=True, slots=True)
class MasterIndication(AttributeRecord):
    """How much a device wants to be master: preference(1) random factor(1)."""

    preference: int
    random_factor: int
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """Two octets."""
        return cls(reader.u8("master preference"), reader.u8("random factor"), reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Two octets."""
        writer.u8(self.preference).u8(self.random_factor).raw(self.surplus)


@attribute(NanAttributeId.CLUSTER)
@dataclass(frozen=True, slots=True)
class Cluster(AttributeRecord):
    """The anchor master as the sender knows it: rank(8) hop count(1) AMBTT(4).

    The rank is the number that devices compare; its eight octets on the wire are the least significant first.
    """

    anchor_master_rank: int
    hop_count: int
    ambtt: int
    """Anchor master beacon transmission time: the low 32 bits of a TSF."""
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """Thirteen octets."""
        return cls(reader.u64le("anchor master rank"), reader.u8("hop count"), reader.u32le("AMBTT"), reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Thirteen octets."""
        writer.u64le(self.anchor_master_rank).u8(self.hop_count).u32le(self.ambtt).raw(self.surplus)


@dataclass(frozen=True, slots=True)
class _ServiceIds(AttributeRecord):
    service_ids: tuple[bytes, ...]
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """Service IDs up to the end."""
        count = reader.remaining // SERVICE_ID_LENGTH
        return cls(tuple(reader.take(SERVICE_ID_LENGTH, "service ID") for _ in range(count)), reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Service IDs one after the other."""
        for service_id in self.service_ids:
            writer.raw(require_length(service_id, SERVICE_ID_LENGTH, "service ID"))
        writer.raw(self.surplus)


@attribute(NanAttributeId.SERVICE_ID_LIST)
@dataclass(frozen=True, slots=True)
class ServiceIdList(_ServiceIds):
    """The services that a beacon's sender publishes: service ID(6)…"""


@attribute(NanAttributeId.SUBSCRIBE_SERVICE_ID_LIST)
@dataclass(frozen=True, slots=True)
class SubscribeServiceIdList(_ServiceIds):
    """The services that a beacon's sender looks for: service ID(6)…"""


@attribute(NanAttributeId.COUNTRY_CODE)
@dataclass(frozen=True, slots=True)
class CountryCode(AttributeRecord):
    """The condensed country string: two octets."""

    code: bytes
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """Two octets."""
        return cls(reader.take(2, "country string"), reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Two octets."""
        writer.raw(require_length(self.code, 2, "country string")).raw(self.surplus)


@attribute(NanAttributeId.CLUSTER_DISCOVERY)
@dataclass(frozen=True, slots=True)
class ClusterDiscovery(AttributeRecord):
    """Another cluster that the sender has heard: cluster ID(6) time offset(8) anchor master rank(8)."""

    cluster_id: bytes
    time_offset: int
    anchor_master_rank: int
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """Twenty-two octets."""
        cluster_id = reader.take(ADDRESS_LENGTH, "cluster ID")
        return cls(cluster_id, reader.u64le("cluster time offset"), reader.u64le("anchor master rank"), reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Twenty-two octets."""
        writer.raw(require_length(self.cluster_id, ADDRESS_LENGTH, "cluster ID"))
        writer.u64le(self.time_offset).u64le(self.anchor_master_rank).raw(self.surplus)
