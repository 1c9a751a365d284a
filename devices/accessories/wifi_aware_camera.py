"""A Wi-Fi Aware camera: a publisher that waits with a PIN and has pictures at the end of its data path, over HTTP."""

from pydantic import Field

from devices.accessories.registry import accessory
from devices.accessories.wifi_aware_publisher import WifiAwarePublisher, WifiAwarePublisherSettings
from devices.accessories.wifi_aware_settings import DataPathTable, DataService


class CameraDataPathTable(DataPathTable):
    """`data_path` of a camera."""

    service: DataService = Field("camera", description="echo, http, camera, none, or HOST:PORT to forward to")


class WifiAwareCameraSettings(WifiAwarePublisherSettings):
    """A camera's own."""

    service: str = Field("_pairlab-camera._tcp", min_length=1, max_length=255, description="name of the service")
    model: str = Field("Camera", max_length=60, description="told while pair setup is open")
    data_path: CameraDataPathTable = CameraDataPathTable()


@accessory("wifi-aware-camera")
class WifiAwareCamera(WifiAwarePublisher):
    """A publisher with something to look at."""

    settings_model = WifiAwareCameraSettings
    settings: WifiAwareCameraSettings
