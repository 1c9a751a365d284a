"""What Apple's and Google's credential stores have in common: storing, deleting and looking up, on rows.

A row belongs to an owner (Apple: the team, Google: the app) and a border agent. The preferred network is the system's
choice: here the first one stored, and after its deletion the oldest left. Of several entries for one extended PAN ID
the one with the newest active timestamp is given; no platform says which it gives. Source: both developer
documentations, and public reports for what they leave open.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pairing.errors import DecodeError
from pairing.thread.credentials.records import CallResult, Credentials, NoSearch, Row, StoreFamily, Verdict
from pairing.thread.credentials.request import Request
from pairing.thread.credentials.rules import AGENT_IDS, check_live, matching_record, shows_network
from pairing.thread.credentials.symptoms import Rule
from pairing.thread.dataset import Dataset


def store(request: Request, other_owner_refuses: bool) -> CallResult:
    """Keep a dataset for a border agent, if every rule lets it pass."""
    agent_id = request.border_agent_id()
    if isinstance(agent_id, Verdict):
        return request.refuse(agent_id)
    dataset = request.dataset()
    if isinstance(dataset, Verdict):
        return request.refuse(dataset)
    conflict = _conflict(request, agent_id, other_owner_refuses)
    if conflict:
        return conflict
    finding = check_live(request.platform, agent_id, dataset, request.live)
    if finding:
        return request.refuse(finding)
    wanted = AGENT_IDS[request.platform.family]
    skipped = request.live is NoSearch.SKIPPED
    record = matching_record(request.platform, agent_id, request.live)
    instance = repr(record.instance) if record else "a border router"
    return request.done(
        "stored",
        Rule.NETWORK_NOT_SEARCHED if skipped else Rule.LIVE_RECORD_MATCHES,
        expected=f"a `_meshcop._udp` record with `{wanted.key}` {agent_id.hex()}, and the dataset's `xp` and `nn`",
        came="the network was not searched" if skipped else f"the record of {instance}",
        hint="its owner can read it back without a prompt",
        rows=_with_row(request, agent_id, dataset),
        searched=not skipped,
    )


def delete(request: Request) -> CallResult:
    """Forget the caller's entry for a border agent."""
    agent_id = request.border_agent_id()
    if isinstance(agent_id, Verdict):
        return request.refuse(agent_id)
    row = _for_agent(request.own, agent_id)
    if row is None:
        return _no_own_entry(request, agent_id)
    return request.done(
        "deleted",
        Rule.OWN_ENTRIES,
        expected="an entry of the caller for that border agent",
        came=f"one, of network {row.extended_pan_id.hex()}",
        hint="the border router keeps its network; only the phone forgets it",
        rows=elect_preferred(tuple(other for other in request.rows if other is not row), request.platform.family),
    )


def own_for_agent(request: Request) -> CallResult:
    """The caller's entry for a border agent."""
    agent_id = request.border_agent_id()
    if isinstance(agent_id, Verdict):
        return request.refuse(agent_id)
    row = _for_agent(request.own, agent_id)
    return found(request, Rule.OWN_ENTRIES, row) if row else _no_own_entry(request, agent_id)


def for_extended_pan_id(request: Request) -> CallResult:
    """Anybody's entry for a network, if the user agrees."""
    extended_pan_id = request.extended_pan_id()
    if isinstance(extended_pan_id, Verdict):
        return request.refuse(extended_pan_id)
    waiting = request.ask_user()
    if waiting:
        return waiting
    rows = [row for row in request.visible if row.extended_pan_id == extended_pan_id]
    if not rows:
        return request.refuse_by(
            Rule.NO_CREDENTIAL,
            expected=f"an entry for network {extended_pan_id.hex()}",
            came=f"{_entries(request.visible)}, none of that network",
            hint="an app of the border router's vendor has to store it first",
            prompted=True,
        )
    return found(request, Rule.ENTRIES_OF_ANY_APP, max(rows, key=_newest), prompted=True)


def preferred(request: Request) -> CallResult:
    """The preferred network's entry, if the user agrees."""
    waiting = request.ask_user()
    if waiting:
        return waiting
    row = preferred_row(request.visible)
    return found(request, Rule.PREFERRED_NETWORK, row, prompted=True) if row else no_preferred(request, prompted=True)


def no_preferred(request: Request, *, prompted: bool = False) -> CallResult:
    """There is no preferred network."""
    return request.refuse_by(
        Rule.NO_PREFERRED,
        expected="a preferred network",
        came="no entry in the store",
        hint="the system prefers the first network that any app stores",
        prompted=prompted,
    )


def all_of(request: Request, rows: Sequence[Row], rule: Rule, *, prompted: bool = False) -> CallResult:
    """These entries, also if there are none."""
    return request.done(
        "found",
        rule,
        expected="entries of the caller" if rule is Rule.OWN_ENTRIES else "entries of any app",
        came=_entries(rows),
        hint="other owners' entries are not among them" if rule is Rule.OWN_ENTRIES else "the user has agreed",
        value=tuple(Credentials.of(row) for row in rows),
        prompted=prompted,
    )


def active(request: Request, rows: Sequence[Row], by_network: bool) -> tuple[Row, ...] | Verdict:
    """The rows whose border router, or whose network, is on the local network now."""
    records = request.records()
    if isinstance(records, Verdict):
        return records
    if by_network:
        return tuple(row for row in rows if any(shows_network(record, row.extended_pan_id) for record in records))
    return tuple(row for row in rows if matching_record(request.platform, row.border_agent_id, records))


def compare_with_preferred(request: Request, answer: Callable[[bool | None], bool | int]) -> CallResult:
    """Whether a dataset is of the preferred network; `answer` gives the platform's value for yes, no and none."""
    dataset = request.dataset()
    if isinstance(dataset, Verdict):
        return request.refuse(dataset)
    row = preferred_row(request.visible)
    same = row.extended_pan_id == dataset.ext_pan_id if row else None
    return request.done(
        "answered",
        Rule.PREFERRED_NETWORK,
        expected=f"network {row.extended_pan_id.hex()}" if row else "no preferred network",
        came=f"network {(dataset.ext_pan_id or b'').hex()}",
        hint="networks are compared by extended PAN ID; nothing is asked of the user",
        value=answer(same),
    )


def found(request: Request, rule: Rule, row: Row, *, prompted: bool = False) -> CallResult:
    """One entry for the app."""
    return request.done(
        "found",
        rule,
        expected="an entry that the caller may have",
        came=f"network {row.extended_pan_id.hex()} of border agent {row.border_agent_id.hex()}",
        hint="the user has agreed" if prompted else "no question is asked for it",
        value=Credentials.of(row),
        prompted=prompted,
    )


def preferred_row(rows: Sequence[Row]) -> Row | None:
    """The preferred one of these rows."""
    return next((row for row in rows if row.preferred), None)


def elect_preferred(rows: tuple[Row, ...], family: StoreFamily) -> tuple[Row, ...]:
    """The rows with one of the store preferred: the present one, else the oldest."""
    candidates = [row for row in rows if row.family is family and not row.frozen]
    if not candidates or preferred_row(candidates):
        return rows
    oldest = min(candidates, key=lambda row: row.created)
    return tuple(replace(row, preferred=True) if row is oldest else row for row in rows)


def delete_in_settings(rows: tuple[Row, ...], family: StoreFamily, border_agent_id: bytes) -> tuple[Row, ...]:
    """The rows after the phone's user has deleted a border agent's entries: Apple refuses to store them again."""
    if family is not StoreFamily.APPLE:
        kept = tuple(row for row in rows if row.family is not family or row.border_agent_id != border_agent_id)
        return elect_preferred(kept, family)
    changed = tuple(
        replace(row, frozen=True, preferred=False)
        if row.family is family and row.border_agent_id == border_agent_id
        else row
        for row in rows
    )
    return elect_preferred(changed, family)


def _conflict(request: Request, agent_id: bytes, other_owner_refuses: bool) -> CallResult | None:
    """An entry that is in the way: frozen, or another owner's."""
    family = request.platform.family
    same_agent = [row for row in request.rows if row.family is family and row.border_agent_id == agent_id]
    if any(row.frozen for row in same_agent):
        return request.refuse_by(
            Rule.FROZEN,
            expected="no entry for that border agent that the user has deleted",
            came="one that was deleted in the phone's settings and is frozen",
            hint="what ends this state on a real phone is not known; give the border router a new identity, or reset",
        )
    owner = request.caller.owner(family)
    if other_owner_refuses and any(row.owner != owner for row in same_agent):
        return _other_owner(request, agent_id)
    return None


def _no_own_entry(request: Request, agent_id: bytes) -> CallResult:
    if _for_agent(request.visible, agent_id):
        return _other_owner(request, agent_id)
    return request.refuse_by(
        Rule.NO_CREDENTIAL,
        expected=f"an entry of the caller for border agent {agent_id.hex()}",
        came=f"{_entries(request.own)} of the caller, none for that border agent",
        hint="store it first, or ask by extended PAN ID for another owner's",
    )


def _other_owner(request: Request, agent_id: bytes) -> CallResult:
    owner = "team" if request.platform.family is StoreFamily.APPLE else "app"
    return request.refuse_by(
        Rule.OTHER_OWNER,
        expected=f"an entry of the calling {owner} for border agent {agent_id.hex()}",
        came=f"one of another {owner}",
        hint=f"only the {owner} that stored it can read it by border agent, change it or delete it",
    )


def _with_row(request: Request, agent_id: bytes, dataset: Dataset) -> tuple[Row, ...]:
    row = Row(
        family=request.platform.family,
        owner=request.caller.owner(request.platform.family),
        border_agent_id=agent_id,
        extended_pan_id=dataset.ext_pan_id or b"",
        dataset=dataset.encode(),
        created=request.date,
        modified=request.date,
    )
    rows = list(request.rows)
    for place, old in enumerate(rows):
        if old.key == row.key:
            rows[place] = replace(row, created=old.created, preferred=old.preferred)
            break
    else:
        rows.append(row)
    return elect_preferred(tuple(rows), row.family)


def _for_agent(rows: Sequence[Row], agent_id: bytes) -> Row | None:
    return next((row for row in rows if row.border_agent_id == agent_id), None)


def _newest(row: Row) -> tuple[int, int, int]:
    try:
        timestamp = Dataset.decode(row.dataset).active_timestamp
    except DecodeError:
        timestamp = None
    return (timestamp.seconds, timestamp.ticks, row.modified) if timestamp else (-1, 0, row.modified)


def _entries(rows: Sequence[Row]) -> str:
    return "1 entry" if len(rows) == 1 else f"{len(rows)} entries"
