"""Attributes that say what a device can do: Device Capability and its extension.

Source: Wi-Fi Aware specification 4.0, sections 9.5.9 (Device Capability) and 9.5.22 (DCEA).
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Self

from pairing.nan.attributes.base import AttributeRecord, NanAttributeId, attribute, require_range
from pairing.wire import Reader, Writer


class Bands(IntFlag):
    """Supported bands."""

    NONE = 0
    SUB_1_GHZ = 1 << 1
    GHZ_2_4 = 1 << 2
    GHZ_5 = 1 << 4
    GHZ_6 = 1 << 7


class OperationMode(IntFlag):
    """PHY operation mode."""

    NONE = 0
    VHT = 1 << 0
    VHT_80_80 = 1 << 1
    VHT_160 = 1 << 2
    PAGING_NDL = 1 << 3
    HE = 1 << 4


class Capabilities(IntFlag):
    """The last octet of Device Capability."""

    NONE = 0
    DFS_MASTER = 1 << 0
    EXTENDED_KEY_ID = 1 << 1
    SIMULTANEOUS_NDP_RECEPTION = 1 << 2
    NDPE_SUPPORTED = 1 << 3
    S3 = 1 << 4


@attribute(NanAttributeId.DEVICE_CAPABILITY)
@dataclass(frozen=True, slots=True)
class DeviceCapability(AttributeRecord):
    """Map ID(1) committed DW(2) bands(1) operation mode(1) antennas(1) max switch time(2, µs) capabilities(1)."""

    map_id: int = 0
    committed_dw: int = 0
    """Bits 0-2 for 2.4 GHz, 3-5 for 5 GHz, 6-9 and 10-13 the maps that override them."""
    bands: Bands = Bands.NONE
    operation_mode: OperationMode = OperationMode.NONE
    tx_antennas: int = 0
    rx_antennas: int = 0
    max_channel_switch_time: int = 0
    capabilities: Capabilities = Capabilities.NONE
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """Nine octets."""
        map_id, committed_dw = reader.u8("map ID"), reader.u16le("committed DW")
        bands, mode = Bands(reader.u8("bands")), OperationMode(reader.u8("operation mode"))
        antennas = reader.u8("antennas")
        switch_time, capabilities = reader.u16le("max channel switch time"), Capabilities(reader.u8("capabilities"))
        tx, rx = antennas & 0xF, antennas >> 4
        return cls(map_id, committed_dw, bands, mode, tx, rx, switch_time, capabilities, reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Nine octets."""
        tx = require_range(self.tx_antennas, 0xF, "number of TX antennas")
        rx = require_range(self.rx_antennas, 0xF, "number of RX antennas")
        writer.u8(self.map_id).u16le(self.committed_dw).u8(self.bands).u8(self.operation_mode)
        writer.u8(rx << 4 | tx).u16le(self.max_channel_switch_time).u8(self.capabilities).raw(self.surplus)

    @property
    def committed_dw_2_4_ghz(self) -> int:
        """0: never awake in 2.4 GHz windows, else awake in every 2^(n-1)-th."""
        return self.committed_dw & 7

    @property
    def committed_dw_5_ghz(self) -> int:
        """0: never awake in 5 GHz windows, else awake in every 2^(n-1)-th."""
        return self.committed_dw >> 3 & 7


class PairingCapabilities(IntFlag):
    """The second octet of the extension."""

    NONE = 0
    PAIRING_SETUP = 1 << 0
    NPK_NIK_CACHING = 1 << 1


@attribute(NanAttributeId.DEVICE_CAPABILITY_EXTENSION)
@dataclass(frozen=True, slots=True)
class DeviceCapabilityExtension(AttributeRecord):
    """DCEA: regulatory(1: bit 0 valid, 1-3 access point type) pairing(1)."""

    regulatory: int = 0
    pairing: PairingCapabilities = PairingCapabilities.NONE
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """Two octets."""
        return cls(reader.u8("regulatory info"), PairingCapabilities(reader.u8("pairing info")), reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Two octets."""
        writer.u8(self.regulatory).u8(self.pairing).raw(self.surplus)

    @property
    def is_pairing_setup_enabled(self) -> bool:
        """The device is open for a first pairing."""
        return bool(self.pairing & PairingCapabilities.PAIRING_SETUP)

    @property
    def is_caching_enabled(self) -> bool:
        """The device remembers NPK and NIK, so both are exchanged after pairing."""
        return bool(self.pairing & PairingCapabilities.NPK_NIK_CACHING)
