"""The words that iOS and Android have for what happens, by event type and medium."""

from collections.abc import Mapping
from types import MappingProxyType

from pairing.engine import Event
from pairing.nan.pairing_events import PairingFailed

PLATFORM_NAMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "PeerDiscovered": {"ios": "NWBrowser.Result.Change.added", "android": "onServiceFound"},
        "PeerLost": {"ios": "NWBrowser.Result.Change.removed", "android": "onServiceLost"},
        "CredentialStored": {"ios": "storeCredentials", "android": "addCredentials"},
        "CredentialRefused": {"ios": "storeCredentials", "android": "addCredentials"},
        "PublishStarted": {"ios": "NetworkListener.State.ready", "android": "onPublishStarted"},
        "SubscribeStarted": {"ios": "NetworkBrowser.State.ready", "android": "onSubscribeStarted"},
        "SessionUpdated": {"android": "onSessionConfigUpdated"},
        "SessionTerminated": {"android": "onSessionTerminated"},
        "FollowUpReceived": {"android": "onMessageReceived"},
        "PeerUpdated": {"android": "onServiceDiscovered"},
        "PeerRecognised": {"android": "onServiceDiscovered"},
        "BootstrappingCompleted": {"android": "onBootstrappingSucceeded"},
        "BootstrappingFailed": {"android": "onBootstrappingFailed"},
        "PairingRequested": {"android": "onPairingSetupRequestReceived"},
        "PairingCompleted": {"ios": "WAPairedDevice.allDevices", "android": "onPairingSetupSucceeded"},
        "PairingFailed": {"android": "onPairingSetupFailed"},
        "PairingVerified": {"android": "onPairingVerificationSucceed"},
        "PeerRemoved": {"ios": "WAPairedDevice.allDevices"},
        "PairedDeviceRenamed": {"ios": "WAPairedDevice.allDevices"},
        "DataPathOpened": {"ios": "NetworkConnection.State.ready", "android": "onAvailable"},
        "DataPathClosed": {"ios": "WAError.connectionTerminated", "android": "onLost"},
        "DataPathFailed": {"ios": "WAError.connectionFailed", "android": "onUnavailable"},
    }
)
"""Event type -> what iOS and Android call the moment, where they have a word for it."""

_NAMES_ON_AIR: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "PeerDiscovered": {"ios": "NetworkBrowser endpoint added", "android": "onServiceDiscovered"},
        "PeerLost": {"ios": "NetworkBrowser endpoint removed", "android": "onServiceLost"},
    }
)

_NAMES_ON_BLE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Connected": {"ios": "centralManager(_:didConnect:)", "android": "onConnectionStateChange"},
        "Disconnected": {
            "ios": "centralManager(_:didDisconnectPeripheral:error:)",
            "android": "onConnectionStateChange",
        },
        "CharacteristicRead": {"ios": "peripheral(_:didUpdateValueFor:error:)", "android": "onCharacteristicRead"},
        "CharacteristicWritten": {"ios": "peripheral(_:didWriteValueFor:error:)", "android": "onCharacteristicWrite"},
        "Subscribed": {
            "ios": "peripheral(_:didUpdateNotificationStateFor:error:)",
            "android": "onDescriptorWrite",
        },
        "PairingRequested": {"android": "ACTION_PAIRING_REQUEST"},
        "PairingCompleted": {"android": "BOND_BONDED"},
        "PairingFailed": {"ios": "CBATTError.insufficientAuthentication", "android": "BOND_NONE"},
    }
)


def platform_names(event: Event, medium: str = "") -> Mapping[str, str]:
    """What platforms call it: each medium has words of its own, and verification too."""
    kind = type(event).__name__
    if medium == "ble":
        return _NAMES_ON_BLE.get(kind, {})
    if medium == "air" and kind in _NAMES_ON_AIR:
        return _NAMES_ON_AIR[kind]
    if isinstance(event, PairingFailed) and event.mode == "cached":
        return {"android": "onPairingVerificationFailed"}
    return PLATFORM_NAMES.get(kind, {})
