"""`pairlab credentials`: a phone's Thread credential store from a shell, and its verdicts without a phone.

The rules are `pairing.thread.credentials`', the rows on disk `devices.stores`'. The store is by default that of the
demo home's phone; `--store` names the state folder of another home.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from devices.cli import output
from devices.cli.places import demo_state
from devices.errors import EmulatorError, UsageError

if TYPE_CHECKING:
    from pairing.thread.credentials import CallResult, Live, Platform

app = typer.Typer(help="A phone's Thread credential store, and its verdicts.", no_args_is_help=True)

_PLATFORMS = ("ios-26", "ios-27", "android-16", "android-17", "home-assistant", "apple", "google")
_CALLS: Mapping[str, Mapping[str, str]] = {
    "apple": {
        "store": "storeCredentials",
        "agent": "retrieveCredentials",
        "network": "retrieveCredentials",
        "preferred": "retrievePreferredCredentials",
        "list": "retrieveAllCredentials",
        "delete": "deleteCredentials",
    },
    "google": {
        "store": "addCredentials",
        "agent": "getCredentialsByBorderAgent",
        "network": "getCredentialsByExtendedPanId",
        "preferred": "getPreferredCredentials",
        "list": "getAllCredentials",
        "delete": "removeCredentials",
    },
    "home-assistant": {
        "store": "add_dataset_tlv",
        "network": "get_dataset_tlv",
        "list": "list_datasets",
        "delete": "delete_dataset",
    },
}
"""What each platform calls the things that the commands do."""


def _complete_platform(incomplete: str) -> list[str]:
    return [name for name in _PLATFORMS if name.startswith(incomplete)]


PlatformOption = Annotated[
    str, typer.Option(metavar="P", autocompletion=_complete_platform, help=f"One of {', '.join(_PLATFORMS)}.")
]
AgentOption = Annotated[
    str, typer.Option(metavar="HEX", help="Border agent id: Apple's is `xa` (8 bytes), Google's `id` (16).")
]
DatasetOption = Annotated[str, typer.Option(metavar="HEX|-", help="The dataset's TLVs; - reads them from stdin.")]
NetworkOption = Annotated[str | None, typer.Option(metavar="HEX", help="The extended PAN ID of a network.")]
LiveOption = Annotated[bool, typer.Option("--live", help="Look for the border router on the network, as a phone does.")]
ReachOption = Annotated[
    str | None, typer.Option(help="Where to look: loopback, all, or interface names. (default: PAIRLAB_REACH, all)")
]
SecondsOption = Annotated[float, typer.Option(min=0.1, max=60, help="How long to look.")]
AppOption = Annotated[str, typer.Option("--app", help="The app that calls; Google's entries belong to it.")]
TeamOption = Annotated[str, typer.Option(help="Its team; Apple's entries belong to it.")]
FolderOption = Annotated[
    Path | None, typer.Option("--store", metavar="DIR", help="State folder of a home. (default: the demo home's)")
]
PhoneOption = Annotated[str, typer.Option(metavar="ID", help="Which phone of that home.")]
SecretsOption = Annotated[bool, typer.Option("--secrets", help="Show datasets and keys.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document.")]
APP, TEAM, PHONE, SECONDS = "com.example.app", "TEAM000001", "phone", 3.0


@app.command()
def check(
    platform: PlatformOption,
    dataset: DatasetOption,
    border_agent: AgentOption = "",
    live: LiveOption = False,
    reach: ReachOption = None,
    seconds: SecondsOption = SECONDS,
    json: JsonOption = False,
) -> None:
    """Would this platform store that dataset for that border agent? If not: which rule, and what is right."""
    from pairing.thread.credentials import check as judge
    from pairing.thread.credentials import verdict_document

    chosen = _platform(platform)
    if not border_agent and chosen.value != "home-assistant":
        raise UsageError("--border-agent is missing: the id under which the app would store the dataset, in hex")
    verdict = judge(chosen, _digits(border_agent), _dataset(dataset), _live(live, reach, seconds))
    document = verdict_document(verdict)
    if json:
        output.emit(document)
    else:
        output.rows(document.items())
    if verdict.is_refusal:
        raise typer.Exit(EmulatorError.exit_code)


@app.command()
def store(
    platform: PlatformOption,
    dataset: DatasetOption,
    border_agent: AgentOption = "",
    live: LiveOption = False,
    reach: ReachOption = None,
    seconds: SecondsOption = SECONDS,
    app_name: AppOption = APP,
    team: TeamOption = TEAM,
    folder: FolderOption = None,
    phone: PhoneOption = PHONE,
    json: JsonOption = False,
) -> None:
    """Store a dataset by the platform's rules. Exit code 0 means that it is on disk."""
    desk = _Desk(_platform(platform), app_name, team, folder, phone)
    arguments: dict[str, object] = {"dataset": _dataset(dataset)} | _agent(border_agent)
    if desk.platform.value == "home-assistant":
        arguments["source"] = "pairlab"
    _finish(desk.call("store", arguments, _live(live, reach, seconds)), json=json, secrets=False, good=("stored",))


@app.command()
def get(
    platform: PlatformOption,
    border_agent: AgentOption = "",
    ext_pan_id: NetworkOption = None,
    preferred: Annotated[bool, typer.Option("--preferred", help="The preferred network's.")] = False,
    app_name: AppOption = APP,
    team: TeamOption = TEAM,
    folder: FolderOption = None,
    phone: PhoneOption = PHONE,
    secrets: SecretsOption = False,
    json: JsonOption = False,
) -> None:
    """Read one credential: by border agent, by extended PAN ID, or the preferred one."""
    if sum((bool(border_agent), ext_pan_id is not None, preferred)) != 1:
        raise UsageError("get needs exactly one of --border-agent, --ext-pan-id and --preferred")
    desk = _Desk(_platform(platform), app_name, team, folder, phone)
    if preferred:
        result = desk.call("preferred", {})
    elif ext_pan_id is not None:
        result = desk.call("network", _network(desk.platform, ext_pan_id))
    else:
        result = desk.call("agent", _agent(border_agent))
    _finish(result, json=json, secrets=secrets)


@app.command(name="list")
def list_(
    platform: PlatformOption,
    app_name: AppOption = APP,
    team: TeamOption = TEAM,
    folder: FolderOption = None,
    phone: PhoneOption = PHONE,
    secrets: SecretsOption = False,
    json: JsonOption = False,
) -> None:
    """Every credential that the app may read without asking."""
    desk = _Desk(_platform(platform), app_name, team, folder, phone)
    _finish(desk.call("list", {}), json=json, secrets=secrets)


@app.command()
def delete(
    platform: PlatformOption,
    border_agent: AgentOption = "",
    ext_pan_id: NetworkOption = None,
    app_name: AppOption = APP,
    team: TeamOption = TEAM,
    folder: FolderOption = None,
    phone: PhoneOption = PHONE,
    json: JsonOption = False,
) -> None:
    """Forget a credential; home-assistant takes --ext-pan-id, the others --border-agent."""
    desk = _Desk(_platform(platform), app_name, team, folder, phone)
    by_network = desk.platform.value == "home-assistant"
    if (by_network and ext_pan_id is None) or (not by_network and not border_agent):
        raise UsageError(f"delete on {platform} needs {'--ext-pan-id' if by_network else '--border-agent'}")
    arguments = _network(desk.platform, ext_pan_id or "") if by_network else _agent(border_agent)
    _finish(desk.call("delete", arguments), json=json, secrets=False)


class _Desk:
    """Makes a platform's calls on the rows of one phone, each in one transaction."""

    def __init__(self, platform: "Platform", app_name: str, team: str, folder: Path | None, phone: str) -> None:
        self.platform = platform
        self._app = app_name
        self._team = team
        self._folder = demo_state() if folder is None else folder
        self._phone = phone

    def call(self, what: str, arguments: Mapping[str, object], live: "Live | None" = None) -> "CallResult":
        """One call; when this returns, what it changed has been committed."""
        import time

        from devices.stores.credentials import CredentialStore
        from devices.stores.state import DATABASE_NAME, StateDirectory
        from pairing.thread.credentials import Caller, NoSearch, call

        family = self.platform.family.value
        method = _CALLS[family].get(what)
        if method is None:
            raise UsageError(f"{self.platform.value} has no such call: it reads by network, with --ext-pan-id")
        path = self._folder / DATABASE_NAME
        if not path.exists():
            StateDirectory(self._folder).close()  # makes the file as a home needs it
        with (
            CredentialStore(path) as rows_on_disk,
            rows_on_disk.transaction(self._phone) as transaction,
        ):
            result = call(
                self.platform,
                method,
                arguments,
                caller=Caller(self._app, self._team),
                rows=transaction.rows,
                live=NoSearch.SKIPPED if live is None else live,
                date=time.time_ns() // 1_000,
            )
            transaction.write(result.rows)
        return result


def _finish(result: "CallResult", *, json: bool, secrets: bool, good: Sequence[str] = ()) -> None:
    """Print the end of a call, and exit 1 where the answer is no."""
    from pairing.thread.credentials import result_document, verdict_document

    document = result_document(result, secrets=secrets)
    value = document["value"]
    if json:
        output.emit(document)
    elif isinstance(value, list) and value:
        for number, entry in enumerate(value):
            if number:
                output.say()
            output.rows(_readable(entry))
    elif isinstance(value, dict):
        output.rows(_readable(value))
    else:
        output.rows(verdict_document(result.verdict).items())
    if result.outcome != "done" or (good and result.verdict.verdict not in good):
        raise typer.Exit(EmulatorError.exit_code)


def _readable(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in entry.items():
        if value is None or value == "":
            continue
        if name in ("created", "modified"):
            from datetime import UTC, datetime

            value = datetime.fromtimestamp(value / 1_000_000, UTC).isoformat(" ", "seconds")
        elif name == "pan_id":
            value = f"0x{value:04x}"
        elif isinstance(value, bool):
            value = "yes" if value else "no"
        yield name.replace("_", " "), str(value)


def _platform(name: str) -> "Platform":
    from pairing.errors import LocalProtocolError
    from pairing.thread.credentials import Platform

    try:
        return Platform.named(name)
    except LocalProtocolError as problem:
        raise UsageError(f"--platform: {problem}") from None


def _live(wanted: bool, reach: str | None, seconds: float) -> "Live":
    from pairing.thread.credentials import NoSearch

    if not wanted:
        return NoSearch.SKIPPED
    from devices.cli.search import live_records

    return live_records(reach, seconds)


def _digits(text: str) -> str:
    """Hex digits as typed, without a leading 0x."""
    return text[2:] if text[:2] in ("0x", "0X") else text


def _dataset(text: str) -> str:
    """A dataset argument, from stdin for `-`, without white space; whether it is hex is for the rules to say."""
    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    return _digits("".join(text.split()))


def _agent(border_agent: str) -> dict[str, object]:
    return {"border_agent_id": _digits(border_agent)} if border_agent else {}


def _network(platform: "Platform", ext_pan_id: str) -> dict[str, object]:
    digits = _digits(ext_pan_id)
    return {"dataset_id": digits} if platform.value == "home-assistant" else {"extended_pan_id": digits}
