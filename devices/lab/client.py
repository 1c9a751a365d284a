"""The program under test: its environment, and its life beside a home.

It finds the home by `PAIRLAB_URL` (control API), `PAIRLAB_SEED`, and `PAIRLAB_HOME`: a JSON file, readable by this user
alone, with ids, endpoints and codes.
"""

import asyncio
import contextlib
import json
import os
import signal
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from devices.errors import TransportUnavailableError
from devices.event_log import plain
from devices.home import LiveHome
from devices.spec import BleDoor

_KEPT_LINES = 200
_LONGEST_LINE = 65_536
_GRACE_SECONDS = 5


ServeControl = Callable[[LiveHome], AbstractAsyncContextManager[str]]
"""Serves a home's control API and gives its URL. The command line brings it: it stands beside the lab, not below."""


def home_document(live: LiveHome, api: str) -> dict[str, Any]:
    """What `PAIRLAB_HOME` holds: the ready line of `pairlab up --json` with codes, facts and phones."""
    document: dict[str, Any] = {
        "event": "ready",
        "api": api,
        "seed": live.seed,
        "name": live.spec.name,
        "accessories": [
            {
                "id": each.id,
                "name": each.name,
                "kind": each.kind,
                "state": each.state,
                "endpoints": dict(each.endpoints),
                "shows": dict(each.shows),
                "facts": plain(each.facts),
            }
            for each in live.accessories.values()
        ],
        "phones": [{"id": each.id, "name": each.name, **plain(each.facts)} for each in live.phones.values()],
        "commissioners": [
            {"id": each.id, "name": each.name, **plain(each.facts)} for each in live.commissioners.values()
        ],
    }
    if live.hci is not None:
        document["ble"] = {"hci": live.hci.place}
        if live.bluez is not None:
            document["ble"]["dbus"] = live.bluez.address
    return document


@contextlib.asynccontextmanager
async def environment(live: LiveHome, serve: ServeControl) -> AsyncIterator[dict[str, str]]:
    """The environment for a client, with the control API up and the file in place while the block runs."""
    async with serve(live) as url:
        with tempfile.TemporaryDirectory(prefix="pairlab-") as folder:
            path = Path(folder) / "home.json"
            path.touch(mode=0o600)
            path.write_text(json.dumps(home_document(live, url), indent=2) + "\n", encoding="utf-8")
            yield {**os.environ, "PAIRLAB_URL": url, "PAIRLAB_SEED": str(live.seed), "PAIRLAB_HOME": str(path)}


async def bluetooth_environment(live: LiveHome, door: BleDoor, adapters: int = 1) -> dict[str, str]:
    """Open a door to a started home's Bluetooth, and give what a program's environment has to say to use it.

    `adapters` is how many the emulated BlueZ has; every program behind the other door has one of its own.
    """
    if door == "none":
        return {}
    place = await live.open_hci()
    if door == "dbus":
        return {"DBUS_SYSTEM_BUS_ADDRESS": await live.open_bluez(adapters), "PAIRLAB_BLE_HCI": place}
    from devices.bluetooth import bleak_backend
    from devices.bluetooth.bleak_backend.install import VARIABLE

    site = Path(bleak_backend.__file__).parent / "site"
    before = os.environ.get("PYTHONPATH")
    return {VARIABLE: place, "PYTHONPATH": os.pathsep.join([str(site), *([before] if before else [])])}


def exit_code(returncode: int) -> int:
    """As a shell has it: a death by signal n is 128 + n."""
    return 128 - returncode if returncode < 0 else returncode


class Client:
    """A program that a scenario runs; its output is kept, its last lines are shown where the scenario fails."""

    def __init__(self, process: asyncio.subprocess.Process, output: int) -> None:
        self._process = process
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._reader = asyncio.ensure_future(self._read(output))

    @classmethod
    async def start(cls, command: Sequence[str], env: Mapping[str, str]) -> "Client":
        """Start it in a session of its own. Raises TransportUnavailableError where it cannot be started."""
        # A pipe of our own: asyncio's would keep `wait` waiting for grandchildren that hold it open.
        output, inlet = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=dict(env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=inlet,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as problem:
            os.close(output)
            raise TransportUnavailableError(f"client: {command[0]}: cannot be started: {problem.strerror}") from None
        finally:
            os.close(inlet)
        return cls(process, output)

    @property
    def output(self) -> list[str]:
        """The last lines it wrote."""
        return list(self._lines)

    async def wait(self) -> int:
        """Until it has ended: its exit code."""
        code = exit_code(await self._process.wait())
        # What it left in the pipe is read; a grandchild that keeps the pipe open is not waited for.
        await asyncio.wait((self._reader,), timeout=1)
        return code

    async def close(self) -> None:
        """End it and everything it started: SIGTERM, and SIGKILL for what is left after five seconds."""
        if self._process.returncode is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
                await asyncio.wait_for(self._process.wait(), _GRACE_SECONDS)
        self._signal(signal.SIGKILL)
        await self._process.wait()
        # The end of the output is the end of all who held it: what was killed is gone now.
        await asyncio.wait((self._reader,), timeout=1)
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    def _signal(self, number: signal.Signals) -> None:
        # The group outlives its leader while a grandchild lives.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _read(self, output: int) -> None:
        stream = asyncio.StreamReader()
        pipe = os.fdopen(output, "rb", buffering=0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), pipe
        )
        rest = b""
        try:
            while chunk := await stream.read(1 << 16):
                *lines, rest = (rest + chunk).split(b"\n")
                self._lines.extend(line.decode("utf-8", "replace") for line in lines)
                rest = rest[-_LONGEST_LINE:]
        finally:
            transport.close()
        if rest:
            self._lines.append(rest.decode("utf-8", "replace"))
