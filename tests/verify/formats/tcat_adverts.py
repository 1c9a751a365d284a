"""Vectors of TCAT adverts: decoding, and the bytes back from the decoded members."""

from typing import Any

from pairing.thread.tcat.adverts import (
    TCAT_UUID16,
    AdvertTlv,
    AdvertTlvType,
    DeviceStatus,
    LinkCapabilities,
    TcatAdvert,
)
from tests.verify.mismatch import compare, compare_members

_NAMES = {
    AdvertTlvType.OUI24: "oui24",
    AdvertTlvType.OUI36: "oui36",
    AdvertTlvType.DISCRIMINATOR: "discriminator",
    AdvertTlvType.DEVICE_TYPE_AND_STATUS: "deviceTypeAndStatus",
    AdvertTlvType.BLE_LINK_CAPABILITIES: "bleLinkCapabilities",
    AdvertTlvType.IANA_PEN: "ianaPen",
}


def recognises(document: object) -> bool:
    """Whether this is a list of adverts."""
    rows = document.get("rows") if isinstance(document, dict) else None
    return isinstance(rows, list) and any(isinstance(row, dict) and "serviceDataAd" in row for row in rows)


def check(document: dict[str, Any]) -> None:
    """Decode and encode every advert; raises Mismatch."""
    for index, row in enumerate(document["rows"]):
        member, data = f"rows[{index}]", bytes.fromhex(row["serviceDataAd"])
        advert = TcatAdvert.decode_service_data(data)
        got = {
            "when": row.get("when"),
            "serviceDataAd": data.hex(),
            "uuid16": f"{TCAT_UUID16:04x}",
            "version": advert.version,
            "opcode": advert.opcode,
            "tlvs": [_words(tlv) for tlv in advert.tlvs],
        }
        compare_members(member, {"when": None, **row}, got)
        tlvs = tuple(AdvertTlv(tlv["type"], _value(tlv)) for tlv in row["tlvs"])
        again = TcatAdvert(tlvs=tlvs, version=row["version"], opcode=row["opcode"])
        compare(f"{member}.serviceDataAd", row["serviceDataAd"], again.encode_service_data().hex())


def _words(tlv: AdvertTlv) -> dict[str, object]:
    known = tlv.type in _NAMES
    name = _NAMES[AdvertTlvType(tlv.type)] if known else "unknown"
    words: dict[str, object] = {"type": tlv.type, "name": name, "length": len(tlv.value), "value": tlv.value.hex()}
    if tlv.type == AdvertTlvType.BLE_LINK_CAPABILITIES:
        link = LinkCapabilities.decode(tlv.value)
        words["bits"] = {"gattNotifications": link.gatt_notifications, "l2capDirect": link.l2cap_direct}
    if tlv.type == AdvertTlvType.DEVICE_TYPE_AND_STATUS:
        status = DeviceStatus.decode(tlv.value)
        words["bits"] = {word: getattr(status, field) for word, field in _BITS.items()}
    return words


def _value(words: dict[str, Any]) -> bytes:
    """A TLV's value from its bits, where it has some."""
    if words["type"] == AdvertTlvType.DEVICE_TYPE_AND_STATUS:
        return DeviceStatus(**{field: words["bits"][word] for word, field in _BITS.items()}).encode()
    if words["type"] == AdvertTlvType.BLE_LINK_CAPABILITIES:
        bits = words["bits"]
        link = LinkCapabilities(gatt_notifications=bits["gattNotifications"], l2cap_direct=bits["l2capDirect"])
        return link.encode()
    return bytes.fromhex(words["value"])


_BITS = {
    "fullThreadDevice": "full_thread_device",
    "rxOnWhenIdle": "rx_on_when_idle",
    "borderRouter": "border_router",
    "attached": "attached",
    "commissioned": "commissioned",
    "storesActiveDataset": "stores_active_dataset",
    "multiRadio": "multi_radio",
}
