"""What Android's WifiAwareNetworkSpecifier may say of a data path, and what building a wrong one throws.

Pure rules; which of the paths a device then opens is the data path engine's business.
Source: AOSP Wifi, WifiAwareNetworkSpecifier.Builder and WifiAwareDataPathSecurityConfig (March 2024).
"""

from dataclasses import dataclass, field

from pairing.errors import LocalProtocolError
from pairing.nan.attributes import CipherSuite
from pairing.nan.platform_failures import ANDROID_CIPHER_SUITE_BITS
from pairing.nan.platform_rules import DataPathSecurity, Evidence, PlatformVerdict

PMK_LENGTH = 32
PMKID_LENGTH = 16
PASSPHRASE_LENGTHS = range(8, 64)
PORTS = range(1, 65_536)
TRANSPORT_PROTOCOLS = range(256)
_SOURCE = "AOSP Wifi: WifiAwareNetworkSpecifier.Builder (March 2024)"
_ARGUMENT, _STATE = "IllegalArgumentException", "IllegalStateException"
_SHARED_KEY_SUITES = (CipherSuite.NCS_SK_128, CipherSuite.NCS_SK_256)
_PUBLIC_KEY_SUITES = (CipherSuite.NCS_PK_2WDH_128, CipherSuite.NCS_PK_2WDH_256)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPathSecurityConfig:
    """What `setDataPathSecurityConfig` takes."""

    suite: int
    passphrase: str | None = field(default=None, repr=False)
    pmk: bytes | None = field(default=None, repr=False)
    pmkid: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpecifier:
    """What a Builder was told before `build`."""

    is_publisher: bool = False
    is_any_peer: bool = False
    passphrase: str | None = field(default=None, repr=False)
    pmk: bytes | None = field(default=None, repr=False)
    config: DataPathSecurityConfig | None = None
    port: int | None = None
    transport_protocol: int | None = None
    is_paired: bool = False
    """The peer is paired: without any of the above, the path takes the keys of the pairing."""

    @property
    def is_secured(self) -> bool:
        """Whether the specifier itself names a key."""
        return self.passphrase is not None or self.pmk is not None or self.config is not None

    @property
    def security(self) -> DataPathSecurity:
        """How the path gets its keys."""
        if self.is_paired and not self.is_secured:
            return DataPathSecurity.PAIRED
        if not self.is_secured:
            return DataPathSecurity.OPEN
        has_pmk = self.pmk is not None or (self.config is not None and self.config.pmk is not None)
        return DataPathSecurity.PMK if has_pmk else DataPathSecurity.PASSPHRASE

    @property
    def suite(self) -> int:
        """The cipher suite: a passphrase or PMK of its own implies NCS-SK-128."""
        if self.config is not None:
            return self.config.suite
        return CipherSuite.NCS_SK_128 if self.is_secured else 0

    @property
    def key(self) -> tuple[str | None, bytes | None]:
        """Passphrase and PMK, wherever they were given."""
        if self.config is not None:
            return self.config.passphrase, self.config.pmk
        return self.passphrase, self.pmk


def judge_specifier(specifier: NetworkSpecifier) -> PlatformVerdict:
    """What `build` says: accepted, or the first rule that is broken and the exception it throws."""
    for judge in (_judge_lengths, _judge_keys, _judge_config, _judge_publisher):
        verdict = judge(specifier)
        if verdict is not None:
            return verdict
    return PlatformVerdict(is_accepted=True, rule="network-specifier", source=_SOURCE, evidence=Evidence.SOURCE)


def _judge_lengths(specifier: NetworkSpecifier) -> PlatformVerdict | None:
    for passphrase, pmk in ((specifier.passphrase, specifier.pmk), specifier.key):
        if passphrase is not None and len(passphrase.encode()) not in PASSPHRASE_LENGTHS:
            return _refusal("passphrase-length", "8 to 63 octets", f"{len(passphrase.encode())}", _ARGUMENT)
        if pmk is not None and len(pmk) != PMK_LENGTH:
            return _refusal("pmk-length", f"{PMK_LENGTH} octets", f"{len(pmk)}", _ARGUMENT)
    if specifier.port is not None and specifier.port not in PORTS:
        return _refusal("port", "1 to 65535", f"{specifier.port}", _ARGUMENT)
    protocol = specifier.transport_protocol
    if protocol is not None and protocol not in TRANSPORT_PROTOCOLS:
        return _refusal("transport-protocol", "0 to 255", f"{protocol}", _ARGUMENT)
    return None


def _judge_keys(specifier: NetworkSpecifier) -> PlatformVerdict | None:
    if specifier.passphrase is not None and specifier.pmk is not None:
        return _refusal("one-key", "a passphrase or a PMK", "both", _STATE)
    if specifier.config is not None and (specifier.passphrase is not None or specifier.pmk is not None):
        return _refusal("one-key", "a security config or a key of its own", "both", _STATE)
    return None


def _judge_config(specifier: NetworkSpecifier) -> PlatformVerdict | None:
    config = specifier.config
    if config is None:
        return None
    if config.suite in _PUBLIC_KEY_SUITES:
        if config.passphrase is not None:
            return _refusal("public-key-suite", "PMK and PMKID", "a passphrase", _STATE)
        if config.pmk is None or config.pmkid is None:
            return _refusal("public-key-suite", "PMK and PMKID", "one of them is missing", _STATE)
        if len(config.pmkid) != PMKID_LENGTH:
            return _refusal("pmkid-length", f"{PMKID_LENGTH} octets", f"{len(config.pmkid)}", _ARGUMENT)
        return None
    if config.suite not in _SHARED_KEY_SUITES:
        return _refusal("cipher-suite", "a shared-key or public-key suite", f"{config.suite}", _ARGUMENT)
    if (config.passphrase is None) == (config.pmk is None):
        came = "neither" if config.pmk is None else "both"
        return _refusal("shared-key-suite", "a passphrase or a PMK", came, _STATE)
    return None


def _judge_publisher(specifier: NetworkSpecifier) -> PlatformVerdict | None:
    has_port = specifier.port is not None or specifier.transport_protocol is not None
    if specifier.is_publisher:
        if has_port and specifier.security is DataPathSecurity.OPEN:
            return _refusal("port-on-secured-link", "a secured link", "an open one", _STATE)
        return None
    if specifier.is_any_peer:
        return _refusal("any-peer", "a publish session", "a subscribe session", _STATE)
    if has_port:
        return _refusal("port-of-publisher", "a publish session", "a subscribe session", _STATE)
    return None


def _refusal(rule: str, expected: str, came: str, symptom: str) -> PlatformVerdict:
    return PlatformVerdict(
        is_accepted=False,
        rule=rule,
        expected=expected,
        came=came,
        symptom=symptom,
        source=_SOURCE,
        evidence=Evidence.SOURCE,
    )


def suite_of_android_bit(bit: int) -> int:
    """The NAN cipher suite of a bit of Android's `Characteristics`; LocalProtocolError for what is none."""
    for suite, known in ANDROID_CIPHER_SUITE_BITS.items():
        if known == bit:
            return suite
    bits = ", ".join(map(str, ANDROID_CIPHER_SUITE_BITS.values()))
    raise LocalProtocolError(f"{bit} is no cipher suite of Android's; known are {bits}")
