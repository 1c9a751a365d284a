"""A Wi-Fi Aware publisher: offers a service to whoever subscribes, pairs as its owner says, grants data paths."""

from typing import Literal

from pydantic import Field

from devices.accessories.registry import accessory
from devices.accessories.wifi_aware_base import WifiAwareAccessory
from devices.accessories.wifi_aware_settings import WifiAwareSettings, publish_of


class WifiAwarePublisherSettings(WifiAwareSettings):
    """A publisher's own."""

    publish: Literal["unsolicited", "solicited", "both"] = Field(
        "both", description="announce by itself, answer subscribes, or both"
    )


@accessory("wifi-aware-publisher")
class WifiAwarePublisher(WifiAwareAccessory):
    """A device that offers a service."""

    settings_model = WifiAwarePublisherSettings
    settings: WifiAwarePublisherSettings
    is_publisher = True

    def _begin(self) -> None:
        wish = self.settings.publish
        session = publish_of(
            self.settings, self.name, is_solicited=wish != "unsolicited", is_unsolicited=wish != "solicited"
        )
        passphrase = self.data_path_passphrase
        self.perform(lambda device, now: device.publish(session, now, is_pairing_open=False, passphrase=passphrase))
