"""A phone's Wi-Fi Aware in Android's shape: sessions and their methods by their own names; results come as callbacks.

A wrong call throws at once, by the exception's name; what fails later ends in its callback with the firmware's code.
Source: AOSP Wifi: WifiAwareManager, DiscoverySession, PublishConfig, SubscribeConfig (March 2024).
"""

import inspect
from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ArgsKwargs

from devices.controllers.wifi_aware_android_config import (
    ARGUMENT,
    Octets,
    PublishConfig,
    SubscribeConfig,
    read_publish,
    read_subscribe,
    throws,
)
from devices.controllers.wifi_aware_android_network import Networks, SpecifierConfig
from devices.controllers.wifi_aware_callbacks import Callbacks, Partner
from devices.controllers.wifi_aware_handset import Handset
from devices.controllers.wifi_aware_results import Refusal, RefusedError, is_refused
from devices.errors import ActionRefusedError, UnknownVerbError, UsageError
from devices.spec import closest, explain
from pairing.engine import Transmit
from pairing.errors import LocalProtocolError
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.bootstrapping_rules import complement
from pairing.nan.network_specifier import suite_of_android_bit
from pairing.nan.platform_failures import ANDROID_CIPHER_SUITE_BITS, Activity, Situation
from pairing.nan.platform_rules import PAIRING_SINCE_API
from pairing.nan.sessions import Publish, Subscribe

_PAIRING_SUITES = (7, 8)
_ACTIVITIES: Mapping[str, Activity] = MappingProxyType(
    {
        "publish": Activity.PUBLISH,
        "updatePublish": Activity.PUBLISH,
        "subscribe": Activity.SUBSCRIBE,
        "updateSubscribe": Activity.SUBSCRIBE,
        "sendMessage": Activity.MESSAGE,
        "initiateBootstrappingRequest": Activity.BOOTSTRAPPING,
        "initiatePairingRequest": Activity.PAIRING,
        "acceptPairingRequest": Activity.PAIRING,
        "rejectPairingRequest": Activity.PAIRING,
        "requestNetwork": Activity.DATA_PATH,
    }
)
"""What fails when a method does; the others cannot."""


class AndroidWifiAware:
    """The calls of an app on one phone, each a method below under its own name."""

    def __init__(self, handset: Handset) -> None:
        self._handset = handset
        self._aware = handset.aware
        self.callbacks = Callbacks(self._aware)
        self.networks = Networks(handset, self.callbacks)
        self._attached = 0
        self._messages: dict[bytes, tuple[int, int, int]] = {}

    def clear(self) -> None:
        """The phone was switched off: its sessions are gone."""
        self.callbacks.clear()
        self.networks.clear()
        self._messages.clear()

    @property
    def methods(self) -> tuple[str, ...]:
        """What an app can call."""
        return tuple(_METHODS)

    async def call(self, method: str, arguments: Mapping[str, Any], produce: str | int | None = None) -> dict[str, Any]:
        """Call a method by its name. Raises UnknownVerbError, UsageError for arguments that it does not take."""
        attribute = _METHODS.get(method)
        if attribute is None:
            raise UnknownVerbError(f"{self._aware.app.profile} has no method {method!r}{closest(method, _METHODS)}")
        function = getattr(self, attribute)
        known = inspect.signature(function).parameters
        unknown = sorted(set(arguments) - set(known))
        if unknown:
            raise UsageError(f"{method} has no argument {unknown[0]!r}{closest(unknown[0], known) or '; it has none'}")

        async def work() -> Any:
            try:
                pending: Awaitable[Any] = TypeAdapter(function).validate_python(ArgsKwargs((), dict(arguments)))
            except ValidationError as problem:
                raise UsageError(f"{method}: {explain(problem)}") from None
            return await pending

        activity = _ACTIVITIES.get(method, Activity.SUBSCRIBE)
        result = await self._aware.call(method, activity, work, produce)
        callback = result["platform"].get("callback") if is_refused(result) else None
        if callback:
            self.callbacks.record(callback, _session_of(arguments), reason=result["platform"]["code"])
        return result

    # The manager.

    async def is_available(self) -> bool:
        """WifiAwareManager.isAvailable."""
        return self._aware.is_on

    async def get_characteristics(self) -> dict[str, Any]:
        """WifiAwareManager.getCharacteristics."""
        return {
            "max_service_name_length": 255,
            "max_service_specific_info_length": 255,
            "max_match_filter_length": 255,
            "number_of_supported_data_interfaces": 1,
            "is_aware_pairing_supported": self._aware.app.platform.api_level >= PAIRING_SINCE_API,
            "is_instant_communication_mode_supported": False,
            "is_suspension_supported": False,
            "supported_cipher_suites": sum(ANDROID_CIPHER_SUITE_BITS[suite] for suite in (1, 2)),
            "supported_pairing_cipher_suites": sum(ANDROID_CIPHER_SUITE_BITS[suite] for suite in (7, 8)),
        }

    async def attach(self) -> int:
        """WifiAwareManager.attach; onAttached."""
        self._aware.radio  # noqa: B018  # raises while it is off
        self._attached += 1
        self.callbacks.record("onAttached", None, wifi_aware_session=self._attached)
        return self._attached

    async def close(self, session: int | None = None) -> None:
        """Close a discovery session, or without one the app's whole session."""
        for each in [session] if session is not None else sorted(self.callbacks.sessions):
            self._require(each)
            self._aware.do(lambda device, now, each=each: device.terminate(each, now))  # type: ignore[misc]
        if session is None:
            self.callbacks.clear()

    # Discovery sessions.

    async def publish(self, config: PublishConfig) -> int:
        """WifiAwareSession.publish; the discovery session."""
        session, is_open = read_publish(self._aware, config)
        self.callbacks.sessions.add(session.instance_id)
        self._aware.do(lambda device, now: device.publish(session, now, is_pairing_open=is_open))
        return session.instance_id

    async def subscribe(self, config: SubscribeConfig) -> int:
        """WifiAwareSession.subscribe; the discovery session."""
        session, is_open = read_subscribe(self._aware, config)
        self.callbacks.sessions.add(session.instance_id)
        self._aware.do(lambda device, now: device.subscribe(session, now, is_pairing_open=is_open))
        return session.instance_id

    async def update_publish(self, session: int, config: PublishConfig) -> None:
        """PublishDiscoverySession.updatePublish; onSessionConfigUpdated."""
        self._require(session)
        made, _ = read_publish(self._aware, config, session)
        self._update(made)

    async def update_subscribe(self, session: int, config: SubscribeConfig) -> None:
        """SubscribeDiscoverySession.updateSubscribe; onSessionConfigUpdated."""
        self._require(session)
        made, _ = read_subscribe(self._aware, config, session)
        self._update(made)

    async def send_message(self, session: int, peer_handle: int, message_id: int, message: Octets) -> None:
        """DiscoverySession.sendMessage; onMessageSendSucceeded, onMessageSendFailed."""
        _, peer, instance_id = self._partner(session, peer_handle, Activity.MESSAGE)
        outputs = self._aware.do(lambda device, now: device.follow_up(session, peer, instance_id, message, now))
        self._aware.radio.on_acknowledged = self._acknowledged
        for each in outputs:
            if isinstance(each, Transmit):
                self._messages[each.payload] = (session, peer_handle, message_id)

    # Pairing.

    async def initiate_bootstrapping_request(self, session: int, peer_handle: int, method: int) -> None:
        """DiscoverySession.initiateBootstrappingRequest; `method` is one that the peer advertised."""
        _, peer, instance_id = self._partner(session, peer_handle, Activity.BOOTSTRAPPING)
        if method.bit_count() != 1 or method not in [each.value for each in BootstrappingMethods]:
            raise throws("bootstrapping-method", "one method", f"{method:#06x}", ARGUMENT, Activity.BOOTSTRAPPING)
        # The app names the peer's side of it; the engine is told ours.
        own = complement(BootstrappingMethods(method))
        self._aware.do(
            lambda device, now: device.bootstrap(
                peer, own, now, instance_id=session, peer_instance_id=instance_id or None
            )
        )

    async def initiate_pairing_request(
        self, session: int, peer_handle: int, alias: str, cipher_suite: int = 16, password: str | None = None
    ) -> None:
        """DiscoverySession.initiatePairingRequest; without a password it is opportunistic."""
        _, peer, _ = self._partner(session, peer_handle, Activity.PAIRING)
        suite = _pairing_suite(cipher_suite)
        self._aware.alias(peer, alias)
        self._aware.do(lambda device, now: device.pair(peer, now, password=password or None, suite=suite))

    async def accept_pairing_request(
        self,
        session: int,
        request_id: int,
        peer_handle: int,
        alias: str,
        cipher_suite: int = 16,
        password: str | None = None,
    ) -> None:
        """DiscoverySession.acceptPairingRequest."""
        _pairing_suite(cipher_suite)
        peer = self._asked(session, request_id, peer_handle)
        self._aware.alias(peer, alias)
        self._aware.do(lambda device, now: device.accept_pairing(peer, now, password=password or None))

    async def reject_pairing_request(self, session: int, request_id: int, peer_handle: int) -> None:
        """DiscoverySession.rejectPairingRequest."""
        peer = self._asked(session, request_id, peer_handle)
        self._aware.do(lambda device, now: device.reject_pairing(peer, now))

    async def get_paired_devices(self) -> list[str]:
        """WifiAwareManager.getPairedDevices: the aliases of the calling package."""
        return [self._aware.ring.name(each.peer_id) for each in self._aware.ring.paired]

    async def remove_paired_device(self, alias: str) -> None:
        """WifiAwareManager.removePairedDevice; nothing happens for an alias that is none."""
        for each in self._aware.ring.paired:
            if self._aware.ring.name(each.peer_id) == alias:
                self._aware.remove(each.peer_id)

    async def reset_paired_devices(self) -> None:
        """WifiAwareManager.resetPairedDevices."""
        for each in self._aware.ring.paired:
            self._aware.remove(each.peer_id)

    # Data paths.

    async def request_network(
        self, session: int, peer_handle: int | None = None, specifier: SpecifierConfig | None = None
    ) -> int:
        """ConnectivityManager.requestNetwork with a WifiAwareNetworkSpecifier; the request's number."""
        self._require(session)
        peer = None if peer_handle is None else self._partner(session, peer_handle, Activity.DATA_PATH)[1]
        running = self._aware.session(session)
        return self.networks.request(
            session, peer, specifier or SpecifierConfig(), is_publisher=isinstance(running, Publish)
        )

    async def unregister_network_callback(self, network: int) -> None:
        """ConnectivityManager.unregisterNetworkCallback: the app lets the network go."""
        self.networks.release(network)

    # Parts.

    def _update(self, session: Publish | Subscribe) -> None:
        self._aware.do(lambda device, now: device.update(session, now))
        self.callbacks.record("onSessionConfigUpdated", session.instance_id)

    def _require(self, session: int) -> None:
        if session not in self.callbacks.sessions:
            known = map(str, sorted(self.callbacks.sessions))
            raise ActionRefusedError(f"{self._aware.app.phone_id}: no session {session}{closest(str(session), known)}")

    def _partner(self, session: int, peer_handle: int, activity: Activity) -> Partner:
        self._require(session)
        partner = self.callbacks.partner(peer_handle)
        if partner is not None and partner[0] == session:
            return partner
        raise RefusedError(
            Refusal(
                rule="peer-handle",
                expected="a handle that onServiceDiscovered or onMessageReceived gave for this session",
                came=str(peer_handle),
                activity=activity,
                situation=Situation.PEER_INVALID,
            )
        )

    def _asked(self, session: int, request_id: int, peer_handle: int) -> bytes:
        partner = self._partner(session, peer_handle, Activity.PAIRING)
        if self.callbacks.requests.pop(request_id, None) != partner:
            raise RefusedError(
                Refusal(
                    rule="request-id",
                    expected="one that onPairingSetupRequestReceived gave for this peer and nobody has answered",
                    came=str(request_id),
                    activity=Activity.PAIRING,
                    situation=Situation.NO_PAIRED_DEVICES,
                )
            )
        return partner[1]

    def _acknowledged(self, payload: bytes, is_acknowledged: bool) -> None:
        sent = self._messages.pop(payload, None)
        if sent is not None:
            session, peer_handle, message_id = sent
            name = "onMessageSendSucceeded" if is_acknowledged else "onMessageSendFailed"
            self.callbacks.record(name, session, peer_handle=peer_handle, message_id=message_id)


def _pairing_suite(bit: int) -> int:
    """The suite of a bit of Characteristics; pairing takes the two of PASN."""
    try:
        suite = suite_of_android_bit(bit)
    except LocalProtocolError as problem:
        raise throws("cipher-suite", "16 or 32", str(problem), ARGUMENT, Activity.PAIRING) from None
    if suite not in _PAIRING_SUITES:
        raise throws("cipher-suite", "16 or 32", str(bit), ARGUMENT, Activity.PAIRING)
    return suite


def _session_of(arguments: Mapping[str, Any]) -> int | None:
    session = arguments.get("session")
    return session if isinstance(session, int) else None


_METHODS: Mapping[str, str] = {
    "isAvailable": "is_available",
    "getCharacteristics": "get_characteristics",
    "attach": "attach",
    "close": "close",
    "publish": "publish",
    "subscribe": "subscribe",
    "updatePublish": "update_publish",
    "updateSubscribe": "update_subscribe",
    "sendMessage": "send_message",
    "initiateBootstrappingRequest": "initiate_bootstrapping_request",
    "initiatePairingRequest": "initiate_pairing_request",
    "acceptPairingRequest": "accept_pairing_request",
    "rejectPairingRequest": "reject_pairing_request",
    "getPairedDevices": "get_paired_devices",
    "removePairedDevice": "remove_paired_device",
    "resetPairedDevices": "reset_paired_devices",
    "requestNetwork": "request_network",
    "unregisterNetworkCallback": "unregister_network_callback",
}
