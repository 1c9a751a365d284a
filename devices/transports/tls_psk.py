"""TLS 1.2 under a pre-shared key, as phones' frameworks speak it to accessories, and how that key comes from a pairing.

Phones accept a pre-shared key in TLS 1.2 only, and want TLS_PSK_WITH_AES_128_GCM_SHA256. The key is derived the way a
widely copied sample does it: HMAC-SHA-256 over a fixed text, which is the identity too; here under the pairing's key.
Source: RFC 4279, RFC 5487 (suite 0x00A8).
"""

import hashlib
import hmac
import ssl
import sys
from typing import Any, cast

from devices.errors import TransportUnavailableError

PSK_IDENTITY = "pairlab data path"
CIPHERS = "PSK-AES128-GCM-SHA256"
"""OpenSSL's name of the suite."""


def data_path_psk(nd_pmk: bytes) -> bytes:
    """The key of a data path's TLS; both sides of a pairing can make it."""
    return hmac.digest(nd_pmk, PSK_IDENTITY.encode(), hashlib.sha256)


def psk_server_context(identity: str, key: bytes) -> ssl.SSLContext:
    """A server that knows one key. Raises TransportUnavailableError where Python's ssl cannot (before 3.13)."""

    def choose(named: str | None) -> bytes:
        # An empty key makes OpenSSL end the handshake with an alert.
        return key if named == identity else b""

    context = _context(ssl.PROTOCOL_TLS_SERVER)
    context.set_psk_server_callback(choose, identity)
    return cast(ssl.SSLContext, context)


def psk_client_context(identity: str, key: bytes) -> ssl.SSLContext:
    """A client with one key. Raises TransportUnavailableError as above."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the key authenticates both sides
    context.set_psk_client_callback(lambda _hint: (identity, key))
    return cast(ssl.SSLContext, context)


def _context(protocol: int) -> Any:
    """A context with the two `set_psk_…_callback`, which the standard library has from Python 3.13 on."""
    context = _context_class()(protocol)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    return context


def _context_class() -> Any:
    if sys.version_info >= (3, 13):
        return ssl.SSLContext
    try:
        from sslpsk3 import SSLPSKContext
    except ImportError:
        raise TransportUnavailableError(
            "TLS with a pre-shared key needs Python 3.13, or the extra: pip install 'pairlab[psk]'"
        ) from None

    class _Object(ssl.SSLObject):
        """Its callbacks are set once: asyncio takes several steps to a handshake, and setting them begins it anew."""

        def do_handshake(self) -> None:
            if not self.__dict__.get("has_callbacks"):
                self.__dict__["has_callbacks"] = True
                context: Any = self.context
                context.setup_psk_callbacks(self)
            super().do_handshake()

    class _Context(SSLPSKContext):  # type: ignore[misc]  # it ships no types
        sslobject_class = _Object

    return _Context
