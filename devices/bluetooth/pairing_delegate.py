"""What one side says while it pairs: Bumble's questions, answered by its owner.

Source: Core Specification 5.4, Vol 3, Part H, 2.3.5.1 (IO capabilities) and 3.5.5 (reasons of a failure).
"""

import logging
from collections.abc import Awaitable, Mapping
from typing import Protocol

from bumble import hci
from bumble.pairing import PairingDelegate
from bumble.smp import ErrorCode

from devices.ble_events import PairingFailed

logging.getLogger("bumble.smp").setLevel(logging.ERROR)  # a pairing that fails is the event log's matter

IO_CAPABILITIES: Mapping[str, PairingDelegate.IoCapability] = {
    "none": PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT,
    "just-works": PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT,
    "passkey-shown": PairingDelegate.IoCapability.DISPLAY_OUTPUT_ONLY,
    "passkey-typed": PairingDelegate.IoCapability.KEYBOARD_INPUT_ONLY,
    "numeric-comparison": PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
    "keyboard-and-display": PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
}


class Owner(Protocol):
    """Who answers. `peer` is the central's address as events name it."""

    def asked(self, peer: str) -> Awaitable[bool]:
        """May it pair at all?"""

    def compared(self, peer: str, number: int) -> Awaitable[bool]:
        """Do both sides show this number?"""

    def typed(self, peer: str) -> Awaitable[int | None]:
        """The number that the other side shows; None gives up."""

    def shown(self, peer: str, number: int) -> None:
        """The number that the other side's user has to type."""

    def drawn(self) -> int:
        """A number to show, 1 to 999999."""


class AccessoryDelegate(PairingDelegate):
    """Bumble's delegate for one connection."""

    def __init__(self, method: str, peer: str, owner: Owner) -> None:
        super().__init__(IO_CAPABILITIES[method])
        self._peer = peer
        self._owner = owner

    async def accept(self) -> bool:
        return await self._owner.asked(self._peer)

    async def confirm(self, auto: bool = False) -> bool:
        return True  # `accept` was the question

    async def compare_numbers(self, number: int, digits: int) -> bool:
        return await self._owner.compared(self._peer, number)

    async def get_number(self) -> int | None:
        return await self._owner.typed(self._peer)

    async def display_number(self, number: int, digits: int) -> None:
        self._owner.shown(self._peer, number)

    async def generate_passkey(self) -> int:
        return self._owner.drawn()


_WORDS: Mapping[int, tuple[str, str, str]] = {
    ErrorCode.PASSKEY_ENTRY_FAILED: ("cancelled", "a passkey is typed", "no passkey"),
    ErrorCode.AUTHENTICATION_REQUIREMENTS: ("not-agreed", "a method that meets both sides' requirements", "none"),
    ErrorCode.CONFIRM_VALUE_FAILED: ("wrong-passkey", "the confirm value of the same passkey", "another"),
    ErrorCode.PAIRING_NOT_SUPPORTED: ("rejected", "a side that pairs", "one that does not"),
    ErrorCode.ENCRYPTION_KEY_SIZE: ("not-agreed", "a key of at least the size asked for", "a shorter one"),
    ErrorCode.UNSPECIFIED_REASON: ("rejected", "consent", "a refusal without a reason"),
    ErrorCode.REPEATED_ATTEMPTS: ("locked", "a pause after a failed attempt", "another attempt"),
    ErrorCode.DHKEY_CHECK_FAILED: ("wrong-key", "the check value of the same shared secret", "another"),
    ErrorCode.NUMERIC_COMPARISON_FAILED: ("rejected", "two equal numbers, confirmed on both sides", "a no"),
}
"""SMP's reason -> cause, what was expected, what came."""


def pairing_failed(peer: str, method: str, code: int) -> PairingFailed:
    """The event of an attempt that ended with this reason of SMP's."""
    cause, expected, came = _WORDS.get(code, ("not-agreed", "a valid exchange", ErrorCode(code).name.lower()))
    return PairingFailed(
        peer=peer,
        method=method,
        error="AuthenticationError" if cause.startswith("wrong") else "PairingRefusedError",
        cause=cause,
        rule=f"Core Vol 3 Part H 3.5.5: {ErrorCode(code).name.lower().replace('_', ' ')}",
        expected=expected,
        came=came,
        code=int(code),
    )


def code_in_words(code: int) -> str:
    """HCI's reason of a disconnection."""
    return hci.HCI_ErrorCode(code).name.removesuffix("_ERROR").lower().replace("_", "-")
