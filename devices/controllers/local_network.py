"""Whether a phone's app may use the local network, and what its platform says while it may not.

Source: Apple's technote 3179: a Bonjour operation waits with kDNSServiceErr_PolicyDenied (-65570) and goes on by itself
once the user allows it. What other platforms report is not documented; their calls are refused without a code.
"""

from collections.abc import Callable
from typing import Any

from devices.controllers.commissioner_results import Refusal, refused
from pairing.thread.credentials import Platform, StoreFamily

POLICY_DENIED = -65570


class LocalNetworkAccess:
    """One app's privilege: there, unless somebody denies it."""

    def __init__(self, platform: Platform | None) -> None:
        self._is_apple = platform is not None and platform.family is StoreFamily.APPLE
        self._deny: Callable[[str], None] | None = None

    @property
    def is_denied(self) -> bool:
        """Whether the app is kept from the local network now."""
        return self._deny is not None

    def set(self, deny: Callable[[str], None] | None) -> None:
        """From now on: denied, and `deny` is told of each attempt; or None: granted."""
        self._deny = deny

    def attempt(self, what: str) -> None:
        """The app does something for which it needs the privilege."""
        if self._deny is not None:
            self._deny(what)

    def refusal(self, what: str) -> dict[str, Any]:
        """What the platform says of it."""
        error = (
            {"domain": "NWError.dns", "code": POLICY_DENIED, "case": "kDNSServiceErr_PolicyDenied"}
            if self._is_apple
            else {"domain": None, "code": None, "case": None}
        )
        verdict = Refusal(
            rule="local-network-denied",
            expected="an app that its user has allowed to find and use devices on the local network",
            came=f"{what} while that is denied",
            symptom="the browser stays in state waiting" if self._is_apple else "",
            hint="the operation waits and goes on by itself once it is allowed; nothing on the network is wrong",
        )
        return {**refused(verdict), "platform": {**error, "delay_ms": 0}}
