"""What a controller tells its host of an advert that it heard, as H4.

Source: Bluetooth Core Specification 5.4, Vol 4, Part E, 7.7.65.2 and 7.7.65.13.
"""

import struct

from devices.media.ble import Advert

_TX_POWER_UNKNOWN = 0x7F
_LEGACY, _SCAN_RESPONSE, _DIRECTED, _SCANNABLE, _CONNECTABLE = 0x10, 0x08, 0x04, 0x02, 0x01
_EVENT, _META, _REPORT, _EXTENDED_REPORT = 0x04, 0x3E, 0x02, 0x0D


def legacy_report(advert: Advert, rssi_dbm: int, response: bool) -> bytes:
    """HCI LE Advertising Report (7.7.65.2) of one report, as H4."""
    if response:
        kind = 0x04
    elif advert.directed_to is not None:
        kind = 0x01
    elif advert.connectable:
        kind = 0x00
    else:
        kind = 0x02 if advert.scannable else 0x03
    data = advert.scan_response if response else advert.data
    body = struct.pack("<BBBB", _REPORT, 1, kind, advert.is_random) + advert.address[::-1]
    body += bytes([len(data)]) + data + struct.pack("<b", rssi_dbm)
    return bytes([_EVENT, _META, len(body)]) + body


def extended_report(advert: Advert, rssi_dbm: int, response: bool) -> bytes:
    """HCI LE Extended Advertising Report (7.7.65.13) of one report, as H4."""
    kind = _CONNECTABLE * advert.connectable | _SCANNABLE * advert.scannable | _LEGACY * advert.legacy
    if advert.directed_to is not None:
        kind |= _DIRECTED
    if response:
        kind |= _SCAN_RESPONSE
    data = advert.scan_response if response else advert.data
    directed = (0, bytes(6)) if advert.directed_to is None else (1, advert.directed_to[::-1])
    body = struct.pack("<BBHB", _EXTENDED_REPORT, 1, kind, advert.is_random) + advert.address[::-1]
    secondary, sid = (0, 0xFF) if advert.legacy else (1, advert.sid)
    body += struct.pack("<BBBbbHB", 1, secondary, sid, _TX_POWER_UNKNOWN, rssi_dbm, 0, directed[0]) + directed[1]
    body += bytes([len(data)]) + data
    return bytes([_EVENT, _META, len(body)]) + body
