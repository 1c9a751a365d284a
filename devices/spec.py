"""Home and scenario files: TOML into checked records, with errors that name the table, the key and the mend.

Durations are texts such as `200ms`, `7s`, `5m`, `2h`. What an accessory kind accepts beyond the common keys is checked
by that kind's own settings when the home is built.
"""

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.config import JsonDict

from devices.errors import HomeFileError, ScenarioError, UsageError
from pairing.engine import Micros

RecordT = TypeVar("RecordT")

_DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(us|ms|s|m|h)")
_DURATION_HINT: JsonDict = {"pattern": f"^{_DURATION.pattern}$"}
_UNITS: dict[str, int] = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_LONGEST_US = 400 * 24 * _UNITS["h"]
_SHORTEST_PERIOD_US = _UNITS["ms"]


def duration_us(text: str) -> Micros:
    """Microseconds of a duration such as `7s`. Raises ValueError with the accepted form."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"a duration is a number with us, ms, s, m or h, such as 7s or 200ms; not {text!r}")
    value = float(found[1]) * _UNITS[found[2]]
    if value > _LONGEST_US:
        raise ValueError(f"a duration is 400 days at the most; not {text!r}")
    return round(value)


def _checked_duration(text: str) -> str:
    duration_us(text)
    return text


def _checked_period(text: str) -> str:
    if duration_us(text) < _SHORTEST_PERIOD_US:
        raise ValueError(f"what happens again and again needs 1ms or more; not {text!r}")
    return text


Duration = Annotated[
    str, AfterValidator(_checked_duration), Field(examples=["200ms", "7s"], json_schema_extra=_DURATION_HINT)
]
Period = Annotated[Duration, AfterValidator(_checked_period)]
"""How often something happens by itself: at virtual time's pace, nothing would never end."""
Reach = Literal["loopback", "all"] | list[str]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


def slug(name: str) -> str:
    """The default id of a name: lower case, everything else a dash."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63] or "unnamed"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(BaseModel):
    """What every accessory, phone and commissioner has: a stable id, by default the slug of its name."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Identifier = ""
    name: str = Field("", max_length=200)

    @model_validator(mode="before")
    @classmethod
    def _default_id(cls, data: Any) -> Any:
        if isinstance(data, dict):
            data = dict(data)
            if not data.get("id"):
                data["id"] = slug(str(data.get("name") or data.get("kind") or data.get("profile") or ""))
        return data


class AccessorySpec(Named):
    """One `[[accessory]]`: the common keys; the others are the kind's own settings."""

    kind: str
    lies: list[str | dict[str, Any]] = []

    @property
    def settings(self) -> dict[str, Any]:
        """The keys that belong to the kind."""
        return dict(self.model_extra or {})


class PhoneSpec(Named):
    """One `[[phone]]`: an emulated platform that discovers, stores and pairs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str = "ios-26"
    app: str = "com.example.app"
    team: str = "TEAM000001"
    consent: Literal["allow", "deny", "ask", "never"] = "allow"
    code: Literal["right", "wrong", "wrong-then-right", "none"] = "right"
    """What its user types when a code is asked for: the one that the other device shows, another, or nothing."""
    patience: Duration = "60s"
    """How long its user takes for a code, and the phone for an answer on the air."""
    services: dict[str, list[Literal["publish", "subscribe"]]] | None = None
    """The Wi-Fi Aware services that the app declares, with what it may do; any service when not given."""
    entitlements: list[Literal["publish", "subscribe"]] = ["publish", "subscribe"]
    """What the app's Wi-Fi Aware entitlement allows, where the platform has one."""
    outcome: str | None = None
    """What every call ends in, whatever it was asked: an outcome of credential calls, a WAError case, a NanStatus."""
    search_budget: Duration = "5s"
    """How long it looks for a border router, or for a Wi-Fi Aware device."""
    store: str | None = None
    """The phone, above, whose credential store is this one's, too: another app there, or the same account's cloud."""


class CommissionerSpec(Named):
    """One `[[commissioner]]`: speaks MeshCoP with a border router of the home, or with any other at `address`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: str = ""
    """The border router's id; by default the only one of the home."""
    address: str = Field("", examples=["192.0.2.1:49153"])
    """HOST:PORT of any Border Agent, which then needs a key as well."""
    pskc: str = Field("", repr=False)
    """In hex; of a border router of the home it is known."""
    passphrase: str = Field("", repr=False)
    network_name: str = ""
    ext_pan_id: str = ""
    """With the passphrase and the name they make the PSKc."""
    code: str = Field("", repr=False)
    """A sharing code instead of a PSKc."""
    commissioner_id: str = ""
    """What it calls itself in petitions; by default its name."""
    keep_alive: Duration = "40s"
    joiner_udp_port: int = Field(1000, ge=1, le=65535)
    provisioning_url: str | None = None
    """What a joiner has to name; empty: none; by default any."""
    patience: Duration = "30s"
    """How long it waits for each answer."""
    lies: list[Literal["no-keep-alive", "no-session-id", "reject-joiners", "kek-on-reject"]] = []

    @model_validator(mode="before")
    @classmethod
    def _own_default_id(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("id") and not data.get("name"):
            return {**data, "id": "commissioner"}
        return data


class AfterSpec(_Table):
    """`after = {event = …}`: a fault starts when the nth event of that type has happened, to that actor or anyone."""

    event: str
    nth: int = Field(1, ge=1)
    actor: str | None = None


class FaultSpec(BaseModel):
    """One `[[fault]]`: kind, whom it hits, how often, which way, when; the other keys are the kind's parameters."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    id: Identifier = ""
    target: str = "*"
    probability: float = Field(1.0, ge=0, le=1)
    direction: Literal["in", "out", "both"] = "both"
    medium: Literal["*", "air", "ble", "lan", "mesh"] = "*"
    start: Duration = "0s"
    duration: Duration | None = None
    after: AfterSpec | None = None
    optional: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """The keys that belong to the kind."""
        return dict(self.model_extra or {})


class AirSpec(_Table):
    """`[air]`: how the Wi-Fi Aware air behaves, and where it is open to foreign stacks."""

    udp: str | None = Field(None, examples=["127.0.0.1:8710"])
    """An IPv4 address and a port (0 = any) at which programs join with raw frames; real time only."""
    header: Literal["none", "radiotap"] = "none"
    discovery_windows: Literal["off", "strict"] = "off"

    @model_validator(mode="after")
    def _udp_is_an_address(self) -> "AirSpec":
        if self.udp is not None and self.udp_address is None:
            raise ValueError(f"udp is an IPv4 address and a port, such as 127.0.0.1:8710; not {self.udp!r}")
        return self

    @property
    def udp_address(self) -> tuple[str, int] | None:
        """Host and port of `udp`."""
        return _ipv4_and_port(self.udp)


class BleSpec(_Table):
    """`[ble]`: where the home's Bluetooth is open to foreign host stacks."""

    hci: str | None = Field(None, examples=["127.0.0.1:8711"])
    """An IPv4 address and a port (0 = any) at which host stacks get a controller, by HCI over TCP; real time only."""

    @model_validator(mode="after")
    def _hci_is_an_address(self) -> "BleSpec":
        if self.hci is not None and self.hci_address is None:
            raise ValueError(f"hci is an IPv4 address and a port, such as 127.0.0.1:8711; not {self.hci!r}")
        return self

    @property
    def hci_address(self) -> tuple[str, int] | None:
        """Host and port of `hci`."""
        return _ipv4_and_port(self.hci)


def _ipv4_and_port(text: str | None) -> tuple[str, int] | None:
    host, _, port = (text or "").rpartition(":")
    try:
        IPv4Address(host)
    except ValueError:
        return None
    return (host, int(port)) if re.fullmatch(r"[0-9]{1,5}", port) and int(port) <= 65_535 else None


class HomeSpec(_Table):
    """A home file: see `specs/schema/home.schema.json`."""

    name: str = "Home"
    seed: int | None = Field(None, ge=0, le=2**63 - 1)
    reach: Reach | None = None
    real_secrets: bool = False
    """Keys of a real network are in this file, so no reach but loopback is allowed."""
    state: str | None = None
    accessory: list[AccessorySpec] = []
    phone: list[PhoneSpec] = []
    commissioner: list[CommissionerSpec] = []
    fault: list[FaultSpec] = []
    air: AirSpec | None = None
    ble: BleSpec | None = None

    @model_validator(mode="after")
    def _unique_ids(self) -> "HomeSpec":
        seen: set[str] = set()
        for each in (*self.accessory, *self.phone, *self.commissioner):
            if each.id in seen:
                raise ValueError(f"the id {each.id!r} is used twice; give one of them another `id`")
            seen.add(each.id)
        return self

    @model_validator(mode="after")
    def _stores_of_phones_above(self) -> "HomeSpec":
        owners: set[str] = set()
        for each in self.phone:
            if each.store is None:
                owners.add(each.id)
            elif each.store not in owners:
                raise ValueError(f"phone {each.id!r}: store = {each.store!r} is no phone above with a store of its own")
        return self


HOME_VERBS = ("advance", "start-fault", "stop-fault")
"""What a step tells the home itself rather than an actor."""

STEP_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "do": ("actor", "with", "within", "refused", "save"),
        "expect": ("actor", "where", "within", "count", "save"),
        "never": ("actor", "where", "during"),
    }
)
"""What a step can say beside its meaning."""


class StepSpec(_Table):
    """One `[[step]]`: exactly one of `do`, `expect` and `never`."""

    do: str | None = Field(None, description="a verb; done when it is accepted, its effects are events")
    expect: str | None = Field(None, description="an event that comes, or has come since the last do")
    never: str | None = Field(None, description="an event that has not come since the last do and does not come")
    actor: str | None = Field(None, description="who does it, or whose event; any actor's by default")
    with_: dict[str, Any] = Field(default_factory=dict, alias="with", description="the verb's arguments")
    where: dict[str, Any] = Field({}, description="member = value, list, {min, max} or {matches}")
    within: Duration = Field("30s", description="how long it may take, from the start of this step")
    during: Duration = Field("5s", description="how long the event must stay away")
    count: int = Field(1, ge=1, description="how many such events")
    save: Identifier | None = Field(None, description="`${name.member}` in later steps")
    refused: bool | None = Field(
        None, description="true: a refusal is expected; false: none; not given: a platform may refuse"
    )

    @property
    def meaning(self) -> Literal["do", "expect", "never"]:
        """Which of the three it is."""
        return "do" if self.do is not None else "expect" if self.expect is not None else "never"

    @model_validator(mode="after")
    def _one_meaning(self) -> "StepSpec":
        if sum(each is not None for each in (self.do, self.expect, self.never)) != 1:
            raise ValueError("a step has exactly one of do, expect and never")
        given = {name.removesuffix("_") for name in self.model_fields_set}
        for key in sorted(given - {self.meaning} - set(STEP_KEYS[self.meaning])):
            raise ValueError(
                f"{key} has no meaning beside {self.meaning}; that takes {', '.join(STEP_KEYS[self.meaning])}"
            )
        if self.do in HOME_VERBS and self.actor is not None:
            raise ValueError(f"do = {self.do!r} is told to the home, not to an actor; whom it is about stands in with")
        if self.do is not None and self.actor is None and self.do not in HOME_VERBS:
            raise ValueError(f"do = {self.do!r} needs an actor")
        return self


BleDoor = Literal["none", "bleak", "dbus"]
"""How a program beside a home reaches its Bluetooth, beside HCI over TCP: not, by bleak, or by BlueZ."""


Gate = Literal["all", "prefix"]
"""Whom `local-network-denied` keeps from the local network: the whole program, or what it starts by $PAIRLAB_GATE."""


class ClientSpec(_Table):
    """`[client]`: the program under test; it implies real time."""

    command: list[str] = Field(min_length=1)
    within: Duration = "60s"
    exit_code: int | None = 0
    ble: BleDoor = "none"
    adapters: int = Field(1, ge=1, le=16, description="how many the emulated BlueZ has; with ble = dbus")
    gate: Gate = "all"
    """Whom a fault local-network-denied is about: all of it, or only what it starts with $PAIRLAB_GATE in front."""


class ScenarioSpec(HomeSpec):
    """A scenario file: a home, inline or by `home = FILE`, and one ordered list of steps."""

    about: str = ""
    home: str | None = None
    step: list[StepSpec] = []
    client: ClientSpec | None = None


def load_toml(path: Path, error: type[UsageError]) -> dict[str, Any]:
    """The tables of a TOML file. Raises `error`, which names the file and the place."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise error(f"{path}: no such file") from None
    except IsADirectoryError:
        raise error(f"{path}: is a directory; name the TOML file in it") from None
    except OSError as problem:
        raise error(f"{path}: cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise error(f"{path}: is not UTF-8 text (byte {problem.start})") from None
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise error(f"{path}: is not TOML: {problem or 'nested too deeply'}") from None


def load_home(path: Path) -> HomeSpec:
    """A home file. Raises HomeFileError."""
    return read_home(load_toml(path, HomeFileError), str(path))


def read_home(tables: dict[str, Any], origin: str = "home") -> HomeSpec:
    """A home from its tables. Raises HomeFileError."""
    try:
        return HomeSpec.model_validate(tables)
    except ValidationError as problem:
        raise HomeFileError(f"{origin}: {explain(problem, HomeSpec)}") from None


_ADDED = ("accessory", "phone", "commissioner", "fault")


def load_scenario(path: Path) -> ScenarioSpec:
    """A scenario file, with the home it names merged in: its own tables add to it. Raises ScenarioError."""
    tables = load_toml(path, ScenarioError)
    home = tables.get("home")
    if isinstance(home, str):
        named = (path.parent / home).resolve()
        base = load_toml(named, ScenarioError)
        try:
            read_home(base, str(named))
        except HomeFileError as problem:
            raise ScenarioError(str(problem)) from None
        for key, value in base.items():
            if key in _ADDED and isinstance(value, list) and isinstance(tables.get(key), list):
                tables[key] = [*value, *tables[key]]
            else:
                tables.setdefault(key, value)
    try:
        return ScenarioSpec.model_validate(tables)
    except ValidationError as problem:
        raise ScenarioError(f"{path}: {explain(problem, ScenarioSpec)}") from None


def make_record(record: type[RecordT], parameters: Mapping[str, Any], what: str) -> RecordT:
    """A frozen record of parameters, such as a fault or a lie, from a table. Raises UsageError, which names `what`."""
    hints = get_type_hints(record)
    known = [each.name for each in dataclasses.fields(record)]  # type: ignore[arg-type]  # callers hand in dataclasses
    for name, value in parameters.items():
        if name not in known:
            raise UsageError(f"{what} has no parameter {name!r}{closest(name, known) or '; it has none'}")
        try:
            TypeAdapter(hints[name], config=ConfigDict(strict=True)).validate_python(value)
        except ValidationError as problem:
            reason = str(problem.errors(include_url=False)[0]["msg"])
            raise UsageError(f"{what}: {name}: {reason}, not {value!r}") from None
    try:
        return record(**parameters)
    except (TypeError, ValueError) as problem:
        raise UsageError(f"{what}: {problem}") from None


def explain(problem: ValidationError, model: type[BaseModel] | None = None) -> str:
    """The first fault of a validation in one line: where, what came, what was meant."""
    first = problem.errors(include_url=False, include_context=True)[0]
    place = ".".join(str(part) for part in first["loc"]) or "file"
    if first["type"] == "extra_forbidden":
        near = closest(str(first["loc"][-1]), _keys(model, first["loc"][:-1]))
        return f"{place}: there is no such key{near}"
    message = str(first["msg"]).removeprefix("Value error, ")
    more = problem.error_count() - 1
    return f"{place}: {message}" + (f" (and {more} more)" if more else "")


def closest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where a known word is near, else the list of them."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known: {', '.join(words)}" if words else ""


def _keys(model: type[BaseModel] | None, path: tuple[Any, ...]) -> list[str]:
    for part in path:
        if model is None or isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)
    return [] if model is None else [field.alias or name for name, field in model.model_fields.items()]
