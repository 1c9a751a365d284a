"""The commissioner that `pairlab thread` speaks through: one of a running home, or one in this process for any address.

Both take the same verbs. What happens on the way is shown: on a terminal as one line that changes, else as lines on
stderr, with `--json` not at all.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import typer

from devices.cli import output
from devices.cli.control_client import ControlClient
from devices.errors import EmulatorError

if TYPE_CHECKING:
    from devices.event_log import StampedEvent

_OWN_ID = "commissioner"
_LONGEST_WAIT_S = 3600


class Stages:
    """What is going on, for whoever waits."""

    def __init__(self, resources: ExitStack, *, quiet: bool) -> None:
        self._quiet = quiet
        self._status = None
        self._last = ""
        self._next = ""
        self._is_connected = True
        if not quiet and sys.stderr.isatty():
            self._status = output.console(sys.stderr).status("")
            resources.callback(self._status.stop)

    def connecting(self, text: str) -> None:
        """It has to connect first; what else is told waits until it has."""
        self.tell(text)
        self._is_connected = False

    def connected(self) -> None:
        """There is a connection."""
        self._is_connected = True
        self.tell(self._next or "connected")

    def failed(self) -> None:
        """A handshake has failed; once there is a connection of our own, it is a joiner's."""
        if self._is_connected:
            self.tell("a joiner's connection has failed, as with another PSKd; still waiting")

    def then(self, text: str) -> None:
        """What comes once there is a connection."""
        self._next = text
        if self._is_connected:
            self.tell(text)

    def tell(self, text: str) -> None:
        """It has come to this."""
        if self._quiet or text == self._last:
            return
        self._last = text
        if self._status is not None:
            self._status.update(output.printable(text))
            self._status.start()
        else:
            output.warn(f"{text} …")

    def rest(self) -> None:
        """Nobody waits now: what is printed next has the terminal to itself."""
        if self._status is not None:
            self._status.stop()


class Teller(Protocol):
    """A commissioner that one tells verbs."""

    def do(self, verb: str, **arguments: Any) -> Mapping[str, Any]:
        """The verb's document; what is None or empty is left out."""

    def wait(self, event_types: tuple[str, ...], where: Mapping[str, Any], seconds: float) -> Mapping[str, Any] | None:
        """The first of these events since this teller began; None if there was none in that time."""


@contextmanager
def in_home(url: str | None, commissioner: str | None, *, stages: Stages) -> Iterator["HomeTeller"]:
    """A commissioner of the running home, by default the first; one that is added where it has none."""
    yield HomeTeller(ControlClient(url), commissioner, stages)


@contextmanager
def from_here(access: Mapping[str, str], *, name: str, patience: float, stages: Stages) -> Iterator["OwnTeller"]:
    """A commissioner in this process, gone at the end: it resigns and closes."""
    from devices.home import Home

    table = {"id": _OWN_ID, "commissioner_id": name, "patience": f"{patience:g}s", **access}
    with Home({"name": "pairlab thread", "commissioner": [table]}, reach="loopback") as home:
        teller = OwnTeller(home, stages)
        home.call(lambda: home.live.log.add_sink(teller.on_event))
        yield teller


class HomeTeller:
    """Through the control API of a running home."""

    def __init__(self, client: ControlClient, commissioner: str | None, stages: Stages) -> None:
        self.client = client
        self._stages = stages
        ready = client.get("v1", "ready")
        self._cursor = ready["cursor"]
        if commissioner is None:
            known = client.get("v1", "commissioners")
            added = known or [client.post("v1", "commissioners", body={"id": _OWN_ID, "name": "pairlab"})]
            commissioner = str(added[0]["id"])
        self.id = commissioner

    @property
    def state(self) -> str:
        """Where it stands."""
        return str(self.client.get("v1", "commissioners", self.id)["state"])

    def do(self, verb: str, **arguments: Any) -> Mapping[str, Any]:
        """Tell it a verb."""
        body = {name: value for name, value in arguments.items() if value not in (None, "")}
        try:
            answer = self.client.post("v1", "commissioners", self.id, "actions", verb, body=body, secrets=True)
        finally:
            self._stages.rest()
        document: Mapping[str, Any] = answer["value"] or {"outcome": "done", "value": None}
        return document

    def wait(self, event_types: tuple[str, ...], where: Mapping[str, Any], seconds: float) -> Mapping[str, Any] | None:
        """Ask the home for the next of each type in turn, a second at a time."""
        left = min(seconds, _LONGEST_WAIT_S)
        while left > 0:
            for event_type in event_types:
                body = {"type": event_type, "where": where, "after": self._cursor, "timeout": min(1.0, left)}
                waited = self.client.post("v1", "events", "wait", body={**body, "actor": self.id})
                if waited["matched"]:
                    event: Mapping[str, Any] = waited["event"]
                    return event
                left -= min(1.0, left)
        return None


class OwnTeller:
    """In a home of this process that holds nobody else."""

    def __init__(self, home: Any, stages: Stages) -> None:
        self._home = home
        self._stages = stages

    def do(self, verb: str, **arguments: Any) -> Mapping[str, Any]:
        """Tell it a verb."""
        given = {name: value for name, value in arguments.items() if value not in (None, "")}
        try:
            document: Mapping[str, Any] | None = self._home[_OWN_ID].do(verb, **given).result(None)
        finally:
            self._stages.rest()
        return document or {"outcome": "done", "value": None}

    def wait(self, event_types: tuple[str, ...], where: Mapping[str, Any], seconds: float) -> Mapping[str, Any] | None:
        """Look at what happens here."""
        from devices.home.handle import EventTimeoutError

        left = seconds
        while left > 0:
            for event_type in event_types:
                try:
                    found = self._home.events.wait(event_type, where=where, within=f"{min(0.5, left):g}s")
                except EventTimeoutError:
                    left -= min(0.5, left)
                    continue
                document: Mapping[str, Any] = found.as_json()
                return document
        return None

    def on_event(self, event: "StampedEvent") -> None:
        """Show what has happened; called on the home's thread."""
        if event.type == "HandshakeCompleted":
            self._stages.connected()
        elif event.type == "HandshakeFailed":
            self._stages.failed()
        elif event.type in _STAGES:
            self._stages.tell(_STAGES[event.type])


_STAGES: Mapping[str, str] = {
    "FlightRepeated": "no answer yet, trying again",
    "PetitionAccepted": "the petition is accepted",
    "JoinerConnected": "the joiner has proved its PSKd",
    "JoinFinReceived": "the joiner says who made it",
}


def finished(document: Mapping[str, Any], *, json: bool) -> Any:
    """The value of a verb's document; a refusal is printed and ends the command."""
    if json:
        output.emit(document)
    if document["outcome"] != "refused":
        return document["value"]
    if not json:
        verdict = document["verdict"]
        members = ((name, verdict[name]) for name in ("expected", "came", "symptom", "hint") if verdict[name])
        output.rows([("refused", verdict["rule"]), *members])
    raise typer.Exit(EmulatorError.exit_code)
