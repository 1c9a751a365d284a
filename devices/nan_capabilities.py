"""What the Wi-Fi Aware radios of a home say of themselves: capability, availability, and 802.11 capabilities.

All are one kind of radio: two bands, committed to channel 149 between discovery windows. A peer needs an overlap with
its own committed slots, and HT capabilities, before it opens a data path.
"""

from pairing.nan.attributes import (
    Availability,
    AvailabilityEntry,
    Bands,
    Capabilities,
    ChannelList,
    DeviceCapability,
    ElementContainer,
)
from pairing.nan.availability import PERIOD_512_TU, ChannelEntry, TimeBitmap

RADIO_ELEMENTS = ElementContainer(0, bytes.fromhex("2d1a2c0017ffff000000000000000000000000000000000000000000"))
"""An HT Capabilities element (20 MHz, short guard interval): a peer that is told none opens no data path."""
DEVICE_CAPABILITY = DeviceCapability(
    map_id=0,
    committed_dw=1 | 1 << 3,
    bands=Bands.GHZ_2_4 | Bands.GHZ_5,
    tx_antennas=1,
    rx_antennas=1,
    capabilities=Capabilities.NDPE_SUPPORTED,
)
_COMMITTED_CONTROL, _POTENTIAL_CONTROL = 0x02E1, 0x02FA
_BETWEEN_WINDOWS = bytes.fromhex("fefffeff")
_CHANNEL_149, _CHANNEL_6 = ChannelEntry(125, 0x0001, 0), ChannelEntry(81, 0x0020, 0)


def availability(period: int = PERIOD_512_TU) -> tuple[Availability, ...]:
    """Channel 149 between discovery windows, and channel 6 if need be."""
    committed = AvailabilityEntry(
        _COMMITTED_CONTROL, TimeBitmap(_BETWEEN_WINDOWS, period=period), ChannelList((_CHANNEL_149,))
    )
    potential = AvailabilityEntry(_POTENTIAL_CONTROL, None, ChannelList((_CHANNEL_6,)))
    return (Availability(1, 0x0031, (committed, potential)),)
