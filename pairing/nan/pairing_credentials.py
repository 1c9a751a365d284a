"""From what a person gives, a password or nothing, to what PASN takes; password tokens are made once and kept.

Source: Wi-Fi Aware specification 4.0, section 7.6.3: the SSID of SAE is the text of the NAN network ID.
"""

from pairing.ieee80211.elements import Akm
from pairing.keys import PairedPeer
from pairing.nan.attributes import IdentityResolution
from pairing.nan.identifiers import NAN_NETWORK_ID
from pairing.nan.identity import npkid_of
from pairing.pasn.key_schedule import SUITES
from pairing.pasn.settings import CachedKey, Credential, Opportunistic, SharedPassword
from pairing.sae.hash_to_element import PasswordToken, derive_password_token

NAN_SSID = NAN_NETWORK_ID.hex().upper().encode()
"""Twelve characters, not six octets."""
MAX_TOKENS = 8


class PasswordTokens:
    """The tokens of the passwords used last."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[int, str], PasswordToken] = {}

    def credential(self, password: str | None, suite: int) -> Credential:
        """What PASN pairs with: without a password, nothing is authenticated."""
        if not password:
            return Opportunistic()
        return SharedPassword(self._token(SUITES[suite].group, password))

    def _token(self, group: int, password: str) -> PasswordToken:
        token = self._tokens.pop((group, password), None)
        if token is None:
            token = derive_password_token(group, NAN_SSID, password.encode())
        self._tokens[group, password] = token  # the end of the dict: used last
        if len(self._tokens) > MAX_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        return token

    def __repr__(self) -> str:
        return f"PasswordTokens({len(self._tokens)})"


def remembered_credential(peer: PairedPeer, identity: IdentityResolution) -> CachedKey:
    """What PASN verifies an earlier pairing with; `identity` is our NIRA for this exchange."""
    return CachedKey(Akm(peer.akm), peer.npk, npkid_of(identity))
