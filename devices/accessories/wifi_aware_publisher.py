"""A Wi-Fi Aware publisher: offers a service to whoever subscribes, pairs as its owner says, grants data paths."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from devices.accessories.registry import accessory
from devices.accessories.wifi_aware_base import WifiAwareAccessory
from devices.accessories.wifi_aware_bonjour import BonjourBridge
from devices.accessories.wifi_aware_settings import WifiAwareSettings, publish_of
from pairing.nan.sessions import Session


class WifiAwarePublisherSettings(WifiAwareSettings):
    """A publisher's own."""

    publish: Literal["unsolicited", "solicited", "both"] = Field(
        "both", description="announce by itself, answer subscribes, or both"
    )
    bonjour_bridge: bool = Field(
        False, description="say the service on Bonjour too; its port refuses until there is a data path"
    )


@accessory("wifi-aware-publisher")
class WifiAwarePublisher(WifiAwareAccessory):
    """A device that offers a service."""

    settings_model = WifiAwarePublisherSettings
    settings: WifiAwarePublisherSettings
    is_publisher = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._bridge = BonjourBridge(self) if self.settings.bonjour_bridge else None

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Those of open data paths; `bonjour`: the port of the bridge."""
        place = self._bridge.endpoint if self._bridge is not None else None
        return super().endpoints if place is None else {**super().endpoints, "bonjour": place}

    @property
    def facts(self) -> Mapping[str, Any]:
        """Those of every Wi-Fi Aware accessory, and the instance on Bonjour."""
        return {**super().facts, "instance": None if self._bridge is None else self._bridge.instance}

    def _begin(self) -> Session:
        wish = self.settings.publish
        session = publish_of(
            self.settings, self.name, is_solicited=wish != "unsolicited", is_unsolicited=wish != "solicited"
        )
        passphrase = self.data_path_passphrase
        self.perform(lambda device, now: device.publish(session, now, is_pairing_open=False, passphrase=passphrase))
        if self._bridge is not None:
            self._bridge.start()
        return session

    def _paths_changed(self) -> None:
        if self._bridge is not None:
            self._bridge.follow(self.paths.newest)

    async def _stop(self, *, goodbye: bool) -> None:
        if self._bridge is not None:
            self._bridge.stop(goodbye=goodbye)
        await super()._stop(goodbye=goodbye)
