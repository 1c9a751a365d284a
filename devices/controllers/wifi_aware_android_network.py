"""Android's networks over Wi-Fi Aware: what requestNetwork asks for, and what becomes of it, as network callbacks.

A subscriber's request opens a data path; a publisher's waits for one. A path that nothing waits for is refused.
Source: AOSP Wifi: WifiAwareNetworkSpecifier, WifiAwareNetworkInfo, WifiAwareDataPathStateManager (March 2024).
"""

from dataclasses import dataclass, field

from devices.controllers.wifi_aware_android_config import ARGUMENT, Config, Octets, throws
from devices.controllers.wifi_aware_callbacks import Callbacks
from devices.controllers.wifi_aware_data_path import OpenPath, PathRequest
from devices.controllers.wifi_aware_handset import Handset
from devices.controllers.wifi_aware_results import Refusal, RefusedError, words_for
from devices.errors import ActionRefusedError, EmulatorError
from devices.spec import closest
from pairing.engine import Event
from pairing.errors import LocalProtocolError
from pairing.nan.attributes import CipherSuite
from pairing.nan.data_path_events import DataPathClosed, DataPathOpened, DataPathRequested
from pairing.nan.network_specifier import (
    DataPathSecurityConfig,
    NetworkSpecifier,
    judge_specifier,
    suite_of_android_bit,
)
from pairing.nan.platform_failures import Activity, Situation
from pairing.nan.platform_rules import DataPathSecurity

_SUPPORTED = (CipherSuite.NONE, CipherSuite.NCS_SK_128, CipherSuite.NCS_SK_256)


class SecurityConfig(Config):
    """WifiAwareDataPathSecurityConfig."""

    cipher_suite: int = 1
    psk_passphrase: str | None = None
    pmk: Octets | None = None
    pmkid: Octets | None = None


class SpecifierConfig(Config):
    """What a WifiAwareNetworkSpecifier.Builder was told beside session and peer."""

    psk_passphrase: str | None = None
    pmk: Octets | None = None
    data_path_security_config: SecurityConfig | None = None
    port: int | None = None
    transport_protocol: int | None = None


@dataclass(slots=True)
class _Network:
    """One request of the app."""

    session: int
    peer: bytes | None
    specifier: NetworkSpecifier = field(repr=False)
    path: int | None = None


class Networks:
    """The network requests of one app, by number."""

    def __init__(self, handset: Handset, callbacks: Callbacks) -> None:
        self._handset = handset
        self._aware = handset.aware
        self._callbacks = callbacks
        self._networks: dict[int, _Network] = {}
        self._last = 0
        self._aware.listeners.append(self._on_event)

    def clear(self) -> None:
        """The phone was switched off."""
        self._networks.clear()

    def request(self, session: int, peer: bytes | None, given: SpecifierConfig, *, is_publisher: bool) -> int:
        """Ask for a network. Raises RefusedError where the specifier cannot be built."""
        specifier = self._read(given, peer, is_publisher=is_publisher)
        verdict = judge_specifier(specifier)
        if not verdict.is_accepted:
            raise RefusedError(
                Refusal.of_rule(verdict, Activity.DATA_PATH, Situation.NOT_DECLARED, exception=verdict.symptom)
            )
        if specifier.suite not in _SUPPORTED:
            raise RefusedError(
                Refusal(
                    rule="cipher-suite",
                    expected="a suite with a shared key",
                    came=f"NAN suite {specifier.suite}, which this radio does not have",
                    activity=Activity.DATA_PATH,
                    situation=Situation.UNSUPPORTED,
                )
            )
        self._last += 1
        number = self._last
        self._networks[number] = network = _Network(session, peer, specifier)
        if not is_publisher and peer is not None:
            self._aware.spawn(self._open(number, network, peer))
        return number

    def release(self, number: int) -> None:
        """The app lets it go; a path that is open ends. Raises ActionRefusedError."""
        network = self._networks.pop(number, None)
        if network is None:
            known = closest(str(number), map(str, self._networks))
            raise ActionRefusedError(f"{self._aware.app.phone_id}: no network request {number}{known}")
        if network.path is not None and network.path in self._aware.device.open_data_paths:
            self._handset.paths.close(network.path)

    # A subscriber's.

    async def _open(self, number: int, network: _Network, peer: bytes) -> None:
        specifier = network.specifier
        passphrase, pmk = specifier.key
        request = PathRequest(
            security=specifier.security, passphrase=passphrase, pmk=pmk, suite=specifier.suite or None
        )
        try:
            path = await self._handset.paths.open(peer, request)
        except RefusedError as problem:
            words = words_for(self._aware.app.platform, problem.refusal)
            self._callbacks.record("onUnavailable", network.session, network=number, reason=words.code)
            return
        except EmulatorError as problem:
            self._callbacks.record("onUnavailable", network.session, network=number, message=str(problem))
            return
        network.path = path.number
        self._available(number, network, path)

    def _available(self, number: int, network: _Network, path: OpenPath) -> None:
        specifier = network.specifier
        self._callbacks.record("onAvailable", network.session, network=number)
        self._callbacks.record(
            "onCapabilitiesChanged",
            network.session,
            network=number,
            peer_ipv6_addr=path.peer_address,
            port=specifier.port or 0,
            transport_protocol=-1 if specifier.transport_protocol is None else specifier.transport_protocol,
            data_path_session=path.session,
            endpoints=path.endpoints,
        )

    # A publisher's.

    def _on_event(self, event: Event) -> None:
        match event:
            case DataPathRequested():
                self._asked(event)
            case DataPathOpened(is_initiator=False):
                for number, network in self._networks.items():
                    if network.path == event.data_path:
                        path = self._handset.paths.open_paths[event.data_path]
                        self._available(number, network, path)
            case DataPathClosed():
                for number, network in list(self._networks.items()):
                    if network.path == event.data_path:
                        network.path = None
                        self._callbacks.record("onLost", network.session, network=number)

    def _asked(self, event: DataPathRequested) -> None:
        peer = bytes.fromhex((event.peer or "").replace(":", ""))
        session = self._session_of(event.service)
        if session is None:
            return  # not the app's
        waiting = next((each for each in self._networks.values() if _waits(each, session, peer)), None)
        if waiting is None:
            self._aware.do(lambda device, now: device.reject_data_path(event.data_path, now))
            return
        waiting.path = event.data_path
        passphrase, pmk = waiting.specifier.key
        if event.security == DataPathSecurity.PAIRED.value:
            passphrase = pmk = None
        try:
            self._aware.do(
                lambda device, now: device.accept_data_path(event.data_path, now, passphrase=passphrase, pmk=pmk)
            )
        except ActionRefusedError:  # it asks for a passphrase, and the specifier names none
            waiting.path = None
            self._aware.do(lambda device, now: device.reject_data_path(event.data_path, now))

    def _session_of(self, service: str) -> int | None:
        for session in sorted(self._callbacks.sessions):
            running = self._aware.session(session)
            if running is not None and running.name == service:
                return session
        return None

    # Parts.

    def _read(self, given: SpecifierConfig, peer: bytes | None, *, is_publisher: bool) -> NetworkSpecifier:
        keys = None if peer is None else self._aware.device.keys(peer)
        paired = None if peer is None else self._aware.device.paired_peer(peer)
        config = given.data_path_security_config
        return NetworkSpecifier(
            is_publisher=is_publisher,
            is_any_peer=peer is None,
            passphrase=given.psk_passphrase,
            pmk=given.pmk,
            config=None if config is None else _security(config),
            port=given.port,
            transport_protocol=given.transport_protocol,
            is_paired=keys is not None or paired is not None,
        )


def _security(config: SecurityConfig) -> DataPathSecurityConfig:
    try:
        suite = suite_of_android_bit(config.cipher_suite)
    except LocalProtocolError as problem:
        raise throws("cipher-suite", "a bit of Characteristics", str(problem), ARGUMENT, Activity.DATA_PATH) from None
    return DataPathSecurityConfig(suite=suite, passphrase=config.psk_passphrase, pmk=config.pmk, pmkid=config.pmkid)


def _waits(network: _Network, session: int, peer: bytes) -> bool:
    is_free = network.path is None and network.specifier.is_publisher
    return is_free and network.session == session and network.peer in (None, peer)
