"""What the control API says of a home: models for the OpenAPI document, and how they are read off the living.

Codes and other secrets are left out unless `secrets` is asked for. No web framework here.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from devices.accessories.base import Accessory
from devices.actor import Actor
from devices.controllers.commissioner import HomeCommissioner
from devices.controllers.phone import Phone
from devices.event_log import StampedEvent, Waited, plain
from devices.home import LiveHome
from devices.home.installed_fault import InstalledFault

SECRET_MEMBERS = frozenset({"code", "dataset", "network_key", "passphrase", "pending_dataset", "pin", "pskc", "pskd"})
"""Members of a verb's result that are left out unless secrets are asked for."""


class AccessoryDocument(BaseModel):
    """One accessory as the table shows it."""

    id: str
    name: str
    kind: str
    state: str
    endpoints: dict[str, str] = Field(description="name -> URL or host:port")
    shows: dict[str, str] = Field(description="codes and QR payloads; empty without ?secrets=true")


class AccessoryDetail(AccessoryDocument):
    """One accessory with everything that can be asked of it."""

    facts: dict[str, Any] = Field(description="identifiers and names as advertised")
    verbs: dict[str, str] = Field(description="what POST …/actions/{verb} takes: verb -> what it does")
    lies: list[str] = Field(description="the lies it tells now")


class PhoneDocument(BaseModel):
    """One emulated phone."""

    id: str
    name: str
    profile: str
    app: str
    team: str
    consent: str = Field(description="allow, deny, ask or never")
    code: str = Field(description="right, wrong, wrong-then-right or none: what its user types")
    outcome: str | None = Field(description="what every call ends in, if that was asked for")
    state: str
    verbs: dict[str, str]


class CommissionerDocument(BaseModel):
    """One commissioner."""

    id: str
    name: str
    state: str = Field(description="idle, connecting, connected, petitioning, active, …")
    facts: dict[str, Any] = Field(description="its id in petitions, its session, who may join through it")
    verbs: dict[str, str]


class ReadyDocument(BaseModel):
    """The home is up. The first members are those of the ready line of `pairlab up --json`."""

    event: str = "ready"
    api: str
    seed: int
    accessories: list[AccessoryDocument]
    name: str
    phones: list[str]
    commissioners: list[str] = []
    cursor: int = Field(description="the id of the newest event")


class EventDocument(BaseModel):
    """One event: who, when, what; the event's own members stand beside these."""

    model_config = ConfigDict(extra="allow")

    id: int
    at_us: int
    type: str
    actor: str
    peer: str | None
    medium: str
    names: dict[str, str] | None = None


class NearDocument(BaseModel):
    """An event that came close, and what is different about it."""

    event: EventDocument
    misses: list[str]


class WaitDocument(BaseModel):
    """The awaited event and the cursor after it, or the nearest three."""

    matched: bool
    event: EventDocument | None = None
    cursor: int = Field(description="pass it as `after` to go on from here")
    nearest: list[NearDocument] = []


class OutcomeDocument(BaseModel):
    """A verb was carried out; effects are events."""

    outcome: str = "done"
    value: Any = None


class FaultDocument(BaseModel):
    """One fault or lie that is installed."""

    id: str
    kind: str
    target: str
    medium: str
    direction: str
    probability: float
    parameters: dict[str, Any]
    optional: bool
    active: bool = Field(description="in force now")
    over: bool
    fired: int


class FaultKind(BaseModel):
    """A wire fault, or a lie that the named kinds of accessory can tell."""

    kind: str
    form: str = Field(description="fault or lie")
    description: str
    parameters: list[dict[str, Any]]
    accessories: list[str] = []


class TimeDocument(BaseModel):
    """The home's clock: microseconds since it was made."""

    now_us: int
    virtual: bool


def without_secrets(value: Any) -> Any:
    """A JSON value less the members whose names are secret; numbers under such a name are status codes and stay."""
    if isinstance(value, Mapping):
        return {
            name: without_secrets(each)
            for name, each in value.items()
            if name not in SECRET_MEMBERS or each is None or isinstance(each, int)
        }
    if isinstance(value, list):
        return [without_secrets(each) for each in value]
    return value


def accessory_document(accessory: Accessory, *, secrets: bool) -> AccessoryDocument:
    """An accessory as a row."""
    return AccessoryDocument(
        id=accessory.id,
        name=accessory.name,
        kind=accessory.kind,
        state=accessory.state,
        endpoints=dict(accessory.endpoints),
        shows=dict(accessory.shows) if secrets else {},
    )


def accessory_detail(accessory: Accessory, *, secrets: bool) -> AccessoryDetail:
    """An accessory in full."""
    facts = plain(accessory.facts)
    return AccessoryDetail(
        **accessory_document(accessory, secrets=secrets).model_dump(),
        facts=facts if secrets else without_secrets(facts),
        verbs=_verbs(accessory),
        lies=list(accessory.told_lies),
    )


def phone_document(phone: Phone) -> PhoneDocument:
    """A phone; it has no secrets of its own, its store's come with calls."""
    return PhoneDocument(
        id=phone.id,
        name=phone.name,
        profile=phone.profile,
        app=phone.app,
        team=phone.team,
        consent=phone.consent.value,
        code=phone.user.code,
        outcome=phone.outcome,
        state=phone.state,
        verbs=_verbs(phone),
    )


def commissioner_document(commissioner: HomeCommissioner) -> CommissionerDocument:
    """A commissioner; its keys stay where they are."""
    return CommissionerDocument(
        id=commissioner.id,
        name=commissioner.name,
        state=commissioner.state,
        facts=plain(commissioner.facts),
        verbs=_verbs(commissioner),
    )


def _verbs(actor: Actor) -> dict[str, str]:
    return {verb: _first_line(getattr(type(actor), attribute)) for verb, attribute in actor.verbs.items()}


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0]


def ready_document(live: LiveHome, api: str, *, secrets: bool) -> ReadyDocument:
    """What is up, and where."""
    return ReadyDocument(
        api=api,
        seed=live.seed,
        accessories=[accessory_document(each, secrets=secrets) for each in live.accessories.values()],
        name=live.spec.name,
        phones=list(live.phones),
        commissioners=list(live.commissioners),
        cursor=live.log.last_id,
    )


def event_document(event: StampedEvent, *, secrets: bool) -> EventDocument:
    """An event, flat."""
    return EventDocument.model_validate(event.as_json(secrets=secrets))


def wait_document(waited: Waited, *, secrets: bool) -> WaitDocument:
    """The end of a wait."""
    if waited.event is not None:
        return WaitDocument(matched=True, event=event_document(waited.event, secrets=secrets), cursor=waited.cursor)
    nearest = [
        NearDocument(event=event_document(event, secrets=secrets), misses=list(misses))
        for event, misses in waited.nearest
    ]
    return WaitDocument(matched=False, cursor=waited.cursor, nearest=nearest)


def fault_document(installed: InstalledFault) -> FaultDocument:
    """A fault or lie with what it did so far."""
    spec = installed.spec
    return FaultDocument(
        id=installed.id,
        kind=spec.kind,
        target=spec.target,
        medium=spec.medium,
        direction=spec.direction,
        probability=spec.probability,
        parameters=spec.parameters,
        optional=spec.optional,
        active=installed.active,
        over=installed.over,
        fired=installed.fired,
    )
