"""What a phone's log says after a store call: that a credential was kept, or which rule refused it."""

from collections.abc import Mapping
from typing import Any

from devices.events import CredentialRefused, CredentialStored
from pairing.errors import DecodeError
from pairing.thread.credentials import CallResult
from pairing.thread.dataset import Dataset


def store_event(profile: str, arguments: Mapping[str, Any], result: CallResult) -> CredentialStored | CredentialRefused:
    """The event of a store call that was made with these arguments, which each platform names its own way."""
    agent = str(_argument(arguments, "agent"))
    verdict = result.verdict
    if not verdict.is_refusal:
        name = _network_name(_argument(arguments, "dataset", "tlv"))
        return CredentialStored(platform=profile, border_agent=agent, network_name=name)
    return CredentialRefused(
        platform=profile,
        border_agent=agent,
        rule=verdict.rule,
        expected=verdict.expected,
        came=verdict.came,
        symptom=verdict.symptom,
        hint=verdict.hint,
    )


def _argument(arguments: Mapping[str, Any], *words: str) -> Any:
    return next((value for name, value in arguments.items() if any(word in name.lower() for word in words)), "")


def _network_name(dataset: object) -> str | None:
    try:
        content = dataset if isinstance(dataset, bytes) else bytes.fromhex(str(dataset))
        return Dataset.decode(content).network_name
    except (ValueError, DecodeError):  # a store that takes what is no dataset has no name for it
        return None
