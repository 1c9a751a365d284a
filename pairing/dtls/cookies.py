"""Cookies of HelloVerifyRequest: proof that a peer receives at the address it sends from, without a memory of it."""

import hmac
from typing import Protocol

from pairing.engine import Address, Endpoint, Entropy

SECRET_LENGTH = 32
TIME_LENGTH = 4
COOKIE_LENGTH = 32


class CookieSource(Protocol):
    """Where a server's cookies come from."""

    def make(self, peer: Address) -> bytes:
        """The cookie of a peer: the same at every call."""


class AddressCookies:
    """Cookies tied to the peer's address and nothing else, in OpenThread's layout: a time of zero, then an HMAC."""

    def __init__(self, entropy: Entropy) -> None:
        self._secret = entropy(SECRET_LENGTH)

    def make(self, peer: Address) -> bytes:
        """Four zero octets and 28 of the HMAC over the address."""
        if isinstance(peer, Endpoint):
            name = f"{peer.host}\0{peer.port}\0{peer.link}".encode()
        else:
            name = peer.encode() if isinstance(peer, str) else peer
        proof = hmac.digest(self._secret, name, "sha256")[: COOKIE_LENGTH - TIME_LENGTH]
        return bytes(TIME_LENGTH) + proof
