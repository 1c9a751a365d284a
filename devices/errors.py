"""The error tree of everything that acts.

Each error says what to do next; `exit_code` is what the command line ends with.
"""

from typing import ClassVar


class EmulatorError(Exception):
    """Root of everything that `devices` raises on purpose."""

    exit_code: ClassVar[int] = 1


class UsageError(EmulatorError):
    """Wrong usage or a bad file: the caller can mend it."""

    exit_code = 2


class HomeFileError(UsageError):
    """A home file that does not say a home: bad TOML, an unknown key, a value out of range."""


class ScenarioError(UsageError):
    """A scenario file that cannot be run: bad TOML, an unknown verb or event, a step without a meaning."""


class TranscriptError(UsageError):
    """A file that is no transcript, or one that is cut off or corrupt; what came before the damage is good."""


class CaptureError(UsageError):
    """A file that is no capture, or one that is cut off or corrupt; the packets before the damage are good."""


class UnknownKindError(UsageError):
    """An accessory, fault, lie or profile that nobody registered."""


class UnknownVerbError(UsageError):
    """An action that this accessory or controller does not have."""


class UnknownActorError(UsageError):
    """No accessory, phone or other actor of that id."""


class MediumError(EmulatorError):
    """A medium was asked for what it cannot do, such as an address that is already taken."""


class ActionRefusedError(EmulatorError):
    """The accessory is in a state in which this action has no meaning; nothing has changed."""


class ClockError(EmulatorError):
    """Virtual time was asked to meet a party that lives in real time, or has nothing left to wait for."""

    exit_code = 2


class HostError(EmulatorError):
    """The host cannot: a port is taken, a state directory locked, a tool missing."""

    exit_code = 3


class TransportUnavailableError(HostError):
    """A socket, bus or interface cannot be had; the message names it and says what to do."""


class StoreError(HostError):
    """Stored state cannot be read or written."""


class StateLockedError(HostError):
    """Another process uses this state directory."""
