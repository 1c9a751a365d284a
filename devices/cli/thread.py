"""`pairlab thread`: a Thread commissioner from a shell, at a border router of a running home or at any address.

In a running home its commissioner does what is asked and stays what it has become; towards an address the commissioner
lives in this process and is gone when the command ends. Exit code 1 is a refusal, whose verdict is printed.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from devices.cli import output, tcat
from devices.cli.control_client import ControlClient
from devices.cli.thread_commissioner import HomeTeller, OwnTeller, Stages, finished, from_here, in_home
from devices.cli.thread_options import (
    AddressOption,
    CodeOption,
    CommissionerOption,
    ExtPanIdOption,
    IdOption,
    JsonOption,
    NameOption,
    NetworkNameOption,
    PassphraseOption,
    PatienceOption,
    PskcOption,
    ReachOption,
    TargetOption,
    UrlOption,
)
from devices.cli.thread_places import Place
from devices.cli.thread_secrets import VARIABLES, needed
from devices.errors import EmulatorError, UsageError

if TYPE_CHECKING:
    from pairing.thread.dataset import Dataset

app = typer.Typer(
    help="A Thread commissioner: datasets, joiners and sharing codes, at any border router.", no_args_is_help=True
)
app.add_typer(tcat.app, name="tcat")

_PATIENCE_S = 20.0
_FAREWELL_S = 3.0
"""How long a joiner may take to end its connection."""
_OWN_NAME = "pairlab"


@contextmanager
def _commissioner(
    place: Place, url: str | None, commissioner: str | None, name: str, patience: float, *, json: bool
) -> Iterator[tuple[HomeTeller | OwnTeller, dict[str, str], Stages]]:
    """Who speaks, with the access arguments for the verbs of a home's commissioner."""
    with ExitStack() as resources:
        stages = Stages(resources, quiet=json)
        access = place.arguments()
        if place.is_outside:
            stages.connecting(f"connecting to {access['address']}")
            here = from_here(access, name=name, patience=patience, stages=stages)
            yield resources.enter_context(here), {}, stages
        else:
            yield resources.enter_context(in_home(url, commissioner, stages=stages)), access, stages


@app.command()
def petition(
    target: TargetOption = "",
    hold: Annotated[
        bool, typer.Option("--hold", help="Towards an address: stay the active Commissioner until Ctrl-C.")
    ] = False,
    url: UrlOption = None,
    commissioner: CommissionerOption = None,
    address: AddressOption = "",
    name: NameOption = "",
    pskc: PskcOption = "",
    passphrase: PassphraseOption = "",
    network_name: NetworkNameOption = "",
    ext_pan_id: ExtPanIdOption = "",
    code: CodeOption = "",
    reach: ReachOption = None,
    own_id: IdOption = _OWN_NAME,
    patience: PatienceOption = _PATIENCE_S,
    json: JsonOption = False,
) -> None:
    """Become the active Commissioner; one of a home stays so until `resign`."""
    place = _place(target, address, name, reach, pskc, passphrase, network_name, ext_pan_id, code)
    with _commissioner(place, url, commissioner, own_id, patience, json=json) as (teller, access, stages):
        stages.then("petitioning")
        value = finished(teller.do("petition", **access), json=json)
        if not json:
            who, session = value["commissioner_id"], value["session_id"]
            output.say(f"{who} is the active Commissioner at {value['border_agent']}, session {session}")
            output.say(_after_petition(place, hold))
        if place.is_outside and hold:
            lost = teller.wait(("CommissionerLost",), {}, float("inf"))
            raise EmulatorError(f"no longer the active Commissioner: {lost['reason'] if lost else 'unknown'}")


def _after_petition(place: Place, hold: bool) -> str:
    if not place.is_outside:
        return "next: pairlab thread get, set, enable-joiner, resign"
    return "until Ctrl-C" if hold else "it resigns again now; --hold stays"


@app.command()
def get(
    kind: Annotated[str, typer.Argument(metavar="[active|pending|commissioner]", help="Which dataset.")] = "active",
    target: TargetOption = "",
    as_hex: Annotated[bool, typer.Option("--hex", help="The TLVs in hex, nothing else.")] = False,
    url: UrlOption = None,
    commissioner: CommissionerOption = None,
    address: AddressOption = "",
    name: NameOption = "",
    pskc: PskcOption = "",
    passphrase: PassphraseOption = "",
    network_name: NetworkNameOption = "",
    ext_pan_id: ExtPanIdOption = "",
    code: CodeOption = "",
    reach: ReachOption = None,
    own_id: IdOption = _OWN_NAME,
    patience: PatienceOption = _PATIENCE_S,
    json: JsonOption = False,
) -> None:
    """Read a dataset, keys too. Only the commissioner dataset needs a petition."""
    if kind not in ("active", "pending", "commissioner"):
        raise UsageError(f"get active, pending or commissioner; not {kind!r}")
    place = _place(target, address, name, reach, pskc, passphrase, network_name, ext_pan_id, code)
    with _commissioner(place, url, commissioner, own_id, patience, json=json) as (teller, access, stages):
        if kind == "commissioner":
            _petition_first(teller, access, stages, json=json)
        stages.then(f"reading the {kind} dataset")
        value = finished(teller.do("get", kind=kind, **access), json=json)
    if not json:
        _say_dataset(kind, value, as_hex=as_hex)


def _say_dataset(kind: str, value: dict[str, Any], *, as_hex: bool) -> None:
    if kind == "commissioner":
        members = ((name.replace("_", " "), each) for name, each in value.items() if name != "kind")
        output.rows((name, "none" if each is None else str(each)) for name, each in members)
    elif not value["dataset"]:
        output.warn(f"there is no {kind} dataset")
    elif as_hex:
        output.say(value["dataset"])
    else:
        output.rows(_dataset(value["dataset"]).for_display())


def _dataset(text: str) -> "Dataset":
    from pairing.thread.dataset import Dataset

    return Dataset.from_hex(text)


@app.command(name="set")
def set_(
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="FIELD=VALUE…|HEX|-",
            help="Fields as in a home file, such as network_name=Attic channel=20; or TLVs in hex, sent as they are.",
        ),
    ],
    pending: Annotated[
        bool, typer.Option("--pending", help="A Pending Dataset: for what cannot change at once.")
    ] = False,
    target: TargetOption = "",
    url: UrlOption = None,
    commissioner: CommissionerOption = None,
    address: AddressOption = "",
    name: NameOption = "",
    pskc: PskcOption = "",
    passphrase: PassphraseOption = "",
    network_name: NetworkNameOption = "",
    ext_pan_id: ExtPanIdOption = "",
    code: CodeOption = "",
    reach: ReachOption = None,
    own_id: IdOption = _OWN_NAME,
    patience: PatienceOption = _PATIENCE_S,
    json: JsonOption = False,
) -> None:
    """Change the network's dataset. Timestamps and the delay come by themselves unless given."""
    change = _change(changes)
    kind = "pending" if pending else "active"
    place = _place(target, address, name, reach, pskc, passphrase, network_name, ext_pan_id, code)
    with _commissioner(place, url, commissioner, own_id, patience, json=json) as (teller, access, stages):
        _petition_first(teller, access, stages, json=json)
        stages.then(f"changing the {kind} dataset")
        finished(teller.do("set", kind=kind, **change), json=json)
    if not json:
        output.say(f"the Leader has accepted the {kind} dataset")


def _change(changes: list[str]) -> dict[str, Any]:
    """The arguments of `set`. Raises UsageError, DecodeError."""
    from devices.cli.dataset import read_hex

    if len(changes) == 1 and "=" not in changes[0]:
        return {"dataset": read_hex(changes[0]).hex()}
    fields: dict[str, Any] = {}
    for each in changes:
        field, equals, value = each.partition("=")
        if not equals or not field:
            raise UsageError(f"a change is FIELD=VALUE, such as network_name=Attic; not {each!r}")
        fields[field.replace("-", "_")] = int(value) if field.endswith("timestamp") and value.isdecimal() else value
    return {"fields": fields}


@app.command()
def enable_joiner(
    joiner: Annotated[
        str, typer.Argument(metavar="EUI64|any|QR", help="Whom to let in: an EUI-64, any, or the payload of a QR code.")
    ],
    pskd: Annotated[
        str, typer.Argument(metavar="[PSKD|@FILE|-]", help=f"The joiner's PSKd; or {VARIABLES['pskd']}.")
    ] = "",
    lifetime: Annotated[float, typer.Option(metavar="S", min=1, max=3600, help="For how many seconds.")] = 120.0,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until it has joined; towards an address always.")
    ] = True,
    target: TargetOption = "",
    url: UrlOption = None,
    commissioner: CommissionerOption = None,
    address: AddressOption = "",
    name: NameOption = "",
    pskc: PskcOption = "",
    passphrase: PassphraseOption = "",
    network_name: NetworkNameOption = "",
    ext_pan_id: ExtPanIdOption = "",
    code: CodeOption = "",
    reach: ReachOption = None,
    own_id: IdOption = _OWN_NAME,
    patience: PatienceOption = _PATIENCE_S,
    json: JsonOption = False,
) -> None:
    """Let a device join, and wait for it."""
    whom = {"qr": joiner} if joiner.startswith("v=") else {"joiner": joiner}
    if "joiner" in whom:
        whom["pskd"] = needed(pskd, "pskd", "the joiner's PSKd")
    place = _place(target, address, name, reach, pskc, passphrase, network_name, ext_pan_id, code)
    with _commissioner(place, url, commissioner, own_id, patience, json=json) as (teller, access, stages):
        _petition_first(teller, access, stages, json=json)
        stages.then("telling the network whom to let in")
        document = teller.do("enable-joiner", **whom, lifetime=f"{lifetime:g}s")
        is_over = document["outcome"] == "refused" or not (wait or place.is_outside)
        value = finished(document, json=json and is_over)
        if is_over:
            if not json:
                output.say(f"{_joiner_text(value['joiner'])} may join for {lifetime:g} s")
            return
        stages.then(f"waiting for {_joiner_text(value['joiner'])}")
        seconds = lifetime + patience
        end = teller.wait(("JoinerFinalized", "JoinerRemoved"), {"joiner": value["joiner"]}, seconds)
        if place.is_outside and _is_joined(end):
            teller.wait(("ConnectionClosed",), {}, _FAREWELL_S)  # it may ask once more, should the answer be lost
        stages.rest()
    _say_end(document, end, json=json)


def _is_joined(event: Any) -> bool:
    return event is not None and event["type"] == "JoinerFinalized" and bool(event["accepted"])


def _joiner_text(joiner: str) -> str:
    return "any joiner" if joiner == "*" else joiner


def _say_end(document: Any, event: Any, *, json: bool) -> None:
    """How the joiner's attempt ended. Raises Exit with 1 where it did not join."""
    joined = _is_joined(event)
    reason = "no answer" if event is None else "rejected" if "accepted" in event else event["reason"]
    if json:
        output.emit({**document, "joined": joined, "reason": "" if joined else reason})
    elif joined:
        output.say(f"{_joiner_text(event['joiner'])} has joined")
    else:
        hints = {"expired": "it did not come: is it on, does its PSKd fit, does it hear this network?"}
        output.rows([("refused", f"not joined: {reason}"), ("hint", hints.get(reason, "see the events above"))])
    if not joined:
        raise typer.Exit(EmulatorError.exit_code)


@app.command()
def disable_joiner(
    joiner: Annotated[str, typer.Argument(metavar="EUI64|any")] = "any",
    url: UrlOption = None,
    commissioner: CommissionerOption = None,
    json: JsonOption = False,
) -> None:
    """Of a home's commissioner: let that joiner in no longer."""
    with ExitStack() as resources:
        stages = Stages(resources, quiet=json)
        teller = resources.enter_context(in_home(url, commissioner, stages=stages))
        finished(teller.do("disable-joiner", joiner=joiner), json=json)
    if not json:
        output.say("done")


@app.command()
def resign(url: UrlOption = None, commissioner: CommissionerOption = None, json: JsonOption = False) -> None:
    """Of a home's commissioner: give up being the active one, and end its connection."""
    with ExitStack() as resources:
        stages = Stages(resources, quiet=json)
        teller = resources.enter_context(in_home(url, commissioner, stages=stages))
        finished(teller.do("resign"), json=json)
    if not json:
        output.say("resigned")


@app.command()
def share(
    router: Annotated[
        str, typer.Argument(metavar="[ID]", help="A border router of the home. (default: the only one)")
    ] = "",
    lifetime: Annotated[float, typer.Option(metavar="S", min=1, max=600, help="For how many seconds.")] = 120.0,
    stop: Annotated[bool, typer.Option("--stop", help="Withdraw the code.")] = False,
    url: UrlOption = None,
    json: JsonOption = False,
) -> None:
    """Have a border router of the running home share its network by a code."""
    client = ControlClient(url)
    chosen = router or _only_router(client)
    if stop:
        client.post("v1", "accessories", chosen, "actions", "stop-sharing", body={})
        output.emit({"outcome": "done"}) if json else output.say("no code is open")
        return
    body = {"lifetime": f"{lifetime:g}s"}
    shared = client.post("v1", "accessories", chosen, "actions", "share-code", body=body, secrets=True)["value"]
    if json:
        output.emit({"outcome": "done", "value": shared})
        return
    output.rows([("code", shared["code"]), ("port", str(shared["port"])), ("for", f"{lifetime:g} s, one use")])
    output.say(f"next: pairlab thread fetch {shared['code']}")


def _only_router(client: ControlClient) -> str:
    routers = [each["id"] for each in client.get("v1", "accessories") if each["kind"] == "thread-border-router"]
    if len(routers) == 1:
        return str(routers[0])
    there = f"this home has {', '.join(routers)}" if routers else "this home has none"
    raise UsageError(f"which border router? {there}")


@app.command()
def fetch(
    code: Annotated[
        str, typer.Argument(metavar="[CODE|@FILE|-]", help=f"What the border router shows; or {VARIABLES['code']}.")
    ] = "",
    target: TargetOption = "",
    url: UrlOption = None,
    commissioner: CommissionerOption = None,
    address: AddressOption = "",
    name: NameOption = "",
    reach: ReachOption = None,
    patience: PatienceOption = _PATIENCE_S,
    json: JsonOption = False,
) -> None:
    """Use a sharing code: prints the network's dataset in hex, for `pairlab dataset show -`."""
    from pairing.thread.ephemeral_key import is_valid_code

    typed = needed(code, "code", "the sharing code").replace(" ", "").replace("-", "")
    if len(typed) == 9 and typed.isdecimal() and not is_valid_code(typed):
        output.warn("the last digit of this code does not fit the others: is it mistyped? trying all the same")
    place = _place(target, address, name, reach, "", "", "", "", typed)
    with _commissioner(place, url, commissioner, _OWN_NAME, patience, json=json) as (teller, access, stages):
        stages.then("fetching the dataset")
        access = {key: value for key, value in access.items() if key != "code"}
        value = finished(teller.do("fetch", code=typed, **access), json=json)
    if not json:
        output.say(value["dataset"])
        if "pending_dataset" in value:
            output.warn(f"a pending dataset comes with it: {value['pending_dataset']}")


def _petition_first(teller: HomeTeller | OwnTeller, access: dict[str, str], stages: Stages, *, json: bool) -> None:
    """Be the active Commissioner; one of a home that is already stays."""
    if isinstance(teller, HomeTeller) and teller.state == "active":
        return
    stages.then("petitioning")
    document = teller.do("petition", **access)
    if document["outcome"] == "refused":
        finished(document, json=json)


def _place(
    target: str,
    address: str,
    name: str,
    reach: str | None,
    pskc: str,
    passphrase: str,
    network_name: str,
    ext_pan_id: str,
    code: str,
) -> Place:
    return Place(
        target=target,
        address=address,
        name=name,
        reach=reach,
        pskc=pskc,
        passphrase=passphrase,
        network_name=network_name,
        ext_pan_id=ext_pan_id,
        code=code,
    )
