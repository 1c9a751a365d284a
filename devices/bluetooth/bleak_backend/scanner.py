"""bleak's scanner: merges adverts and scan responses of a device as an operating system does, and tells each anew."""

from typing import Any, Literal

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.uuids import normalize_uuid_str
from bumble.device import Advertisement

from devices.bluetooth.adverts import ReadAdvert, read_advert
from devices.bluetooth.bleak_backend.central import Central, text_of


class PairlabScanner(BaseBleakScanner):
    """Passive scans bring no scan responses; `bluez` and `cb` arguments are taken and say nothing here."""

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"] = "active",
        **_platform: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"
        self._central: Central | None = None
        self._known: dict[str, ReadAdvert] = {}

    async def start(self) -> None:
        """Scan until `stop`."""
        self.seen_devices = {}
        self._known.clear()
        self._central = await Central.get()
        await self._central.listen(self, self._heard, active=self._active)

    async def stop(self) -> None:
        """Scan no longer."""
        central, self._central = self._central, None
        if central is not None:
            await central.ignore(self)

    def _heard(self, advertisement: Advertisement) -> None:
        central = self._central
        address = text_of(advertisement.address) if central is None else central.known_as(advertisement.address)
        read = read_advert(bytes(advertisement.data))  # with the scan response, unlike `data_bytes`
        known = self._known.get(address)
        merged = self._known[address] = read if known is None else known.merged_with(read)
        if central is not None and merged.name:
            central.names[address] = merged.name
        data = AdvertisementData(
            local_name=merged.name,
            manufacturer_data=dict(merged.manufacturer),
            service_data={normalize_uuid_str(uuid): octets for uuid, octets in merged.service_data.items()},
            service_uuids=[normalize_uuid_str(uuid) for uuid in merged.services],
            tx_power=merged.tx_power,
            rssi=advertisement.rssi,
            platform_data=(advertisement,),
        )
        if self.is_allowed_uuid(data.service_uuids):
            device = self.create_or_update_device(address, address, merged.name, {"address": address}, data)
            self.call_detection_callbacks(device, data)


BACKEND = PairlabScanner
