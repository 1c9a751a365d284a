"""The words of the phone-side credential stores: who calls, what is stored, what is on the network, what comes of it.

Plain records. What they have to obey is in `rules`, what a platform shows in `symptoms`, its calls in `apple`,
`google` and `home_assistant`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from pairing.dnssd.txt import TxtRecord
from pairing.errors import DecodeError, LocalProtocolError
from pairing.thread.dataset import Dataset


class StoreFamily(Enum):
    """Whose store it is. A phone keeps it when its system is updated, so rows carry the family, not the version."""

    APPLE = "apple"
    GOOGLE = "google"
    HOME_ASSISTANT = "home-assistant"


class Platform(Enum):
    """The profiles that have a credential store."""

    IOS_26 = "ios-26"
    IOS_27 = "ios-27"
    ANDROID_16 = "android-16"
    ANDROID_17 = "android-17"
    HOME_ASSISTANT = "home-assistant"

    @classmethod
    def named(cls, name: str) -> "Platform":
        """The platform of that name; `apple` and `google` mean the newest."""
        name = {"apple": cls.IOS_27.value, "google": cls.ANDROID_17.value}.get(name, name)
        for platform in cls:
            if platform.value == name:
                return platform
        known = ", ".join([platform.value for platform in cls] + ["apple", "google"])
        raise LocalProtocolError(f"no platform {name!r} has a credential store; known are {known}")

    @property
    def family(self) -> StoreFamily:
        """Whose store the platform has."""
        if self is Platform.HOME_ASSISTANT:
            return StoreFamily.HOME_ASSISTANT
        return StoreFamily.APPLE if self in (Platform.IOS_26, Platform.IOS_27) else StoreFamily.GOOGLE


class Consent(Enum):
    """What the phone's user does when the system asks whether an app may have a credential."""

    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"
    """The question is put to whoever drives the phone; the call is made again with the answer."""
    NEVER = "never"
    """Nobody answers, so the call never returns."""


class ProfileOutcome(Enum):
    """An answer that a test asks for, whatever the arguments: states that real phones were seen in."""

    APPLE_XPC = "apple-xpc"
    NO_MDNS_MATCH = "no-mdns-match"
    FROZEN = "frozen"
    NOT_CONNECTED = "not-connected"
    CONSENT_DENIED = "consent-denied"
    PREFERRED_ONLY = "preferred-only"
    TIMED_OUT = "timed-out"
    STORAGE_FULL = "storage-full"
    NOT_SUPPORTED = "not-supported"

    @classmethod
    def named(cls, name: str) -> "ProfileOutcome":
        """The outcome of that name."""
        for outcome in cls:
            if outcome.value == name:
                return outcome
        raise LocalProtocolError(f"no outcome {name!r}; known are {', '.join(outcome.value for outcome in cls)}")


@dataclass(frozen=True, slots=True)
class Caller:
    """The app that calls. Apple's entries belong to its team, Google's to the app."""

    app: str
    team: str = ""

    def owner(self, family: StoreFamily) -> str:
        """Whose entries this caller's are."""
        return {StoreFamily.APPLE: self.team or self.app, StoreFamily.GOOGLE: self.app}.get(family, "")


@dataclass(frozen=True, slots=True)
class LiveRecord:
    """A border router as a search of `_meshcop._udp` shows it now; `txt` is None if answers come without it."""

    instance: str
    txt: TxtRecord | None


class NoSearch(Enum):
    """Why there are no live records to look at."""

    SKIPPED = "skipped"
    """The network is not to be searched: only the arguments are judged."""
    NO_NETWORK = "no-network"
    """The phone has no local network."""


Live: TypeAlias = Sequence[LiveRecord] | NoSearch


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One stored credential. `created` and `modified` are microseconds since 1970, as the caller's clock has them."""

    family: StoreFamily
    owner: str
    border_agent_id: bytes
    extended_pan_id: bytes
    dataset: bytes = field(repr=False, metadata={"secret": True})
    created: int = 0
    modified: int = 0
    preferred: bool = False
    frozen: bool = False
    """The user deleted it in the phone's settings: it is not shown, and cannot be stored again."""
    source: str = ""
    extended_address: bytes = b""

    @property
    def key(self) -> tuple[StoreFamily, str, bytes]:
        """What one store has at most one row of: a border agent of an owner, at Home Assistant a network."""
        is_network = self.family is StoreFamily.HOME_ASSISTANT
        return self.family, self.owner, self.extended_pan_id if is_network else self.border_agent_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an app is given: the dataset, and its fields as the platform parses them."""

    border_agent_id: bytes
    extended_pan_id: bytes
    network_name: str | None
    channel: int | None
    pan_id: int | None
    created: int
    modified: int
    preferred: bool = False
    source: str = ""
    extended_address: bytes = b""
    active_operational_dataset: bytes = field(repr=False, metadata={"secret": True})
    network_key: bytes | None = field(repr=False, metadata={"secret": True})
    pskc: bytes | None = field(repr=False, metadata={"secret": True})

    @classmethod
    def of(cls, row: Row) -> "Credentials":
        """The credentials in a row; fields that the dataset does not have are None."""
        try:
            dataset = Dataset.decode(row.dataset)
        except DecodeError:  # Home Assistant stores some that are not datasets
            dataset = Dataset.decode(b"")
        return cls(
            border_agent_id=row.border_agent_id,
            extended_pan_id=row.extended_pan_id,
            network_name=dataset.network_name,
            channel=dataset.channel.channel if dataset.channel else None,
            pan_id=dataset.pan_id,
            created=row.created,
            modified=row.modified,
            preferred=row.preferred,
            source=row.source,
            extended_address=row.extended_address,
            active_operational_dataset=row.dataset,
            network_key=dataset.network_key,
            pskc=dataset.pskc,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why a call ended as it did. `verdict` is one word; texts hold no secret."""

    verdict: str
    rule: str
    expected: str
    came: str
    symptom: str
    """What the platform shows for it."""
    hint: str

    @property
    def is_refusal(self) -> bool:
        """Whether the answer is no."""
        return self.verdict == "refused"

    @property
    def sentence(self) -> str:
        """What came, then what was expected."""
        return f"{self.came}; {self.expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformOutcome:
    """What the app's callback gets. None for domain or code: nobody has published which."""

    domain: str | None
    code: int | str | None
    case: str
    delay_ms: int
    message: str
    evidence: str
    """How far to trust it: D documented, S read in source, R reported by a user, I our own assumption."""


Value: TypeAlias = bool | int | Credentials | tuple[Credentials, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """The end of one call: the verdict, the rows to keep, and what the app gets."""

    verdict: Verdict
    rows: tuple[Row, ...] = field(repr=False)
    platform: PlatformOutcome
    value: Value = None
    prompted: bool = False
    """Whether the system asked its user."""

    @property
    def outcome(self) -> str:
        """`done`, `refused`, or `waiting` for the user's answer."""
        return {"refused": "refused", "waiting": "waiting"}.get(self.verdict.verdict, "done")
