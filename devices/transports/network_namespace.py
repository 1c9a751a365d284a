"""A network namespace beside the host's own, for programs that shall not meet the network as it is. Linux only.

Root makes one as it is; anybody else makes it in a user namespace, where the system allows that. A small process
(`namespace_holder`) lives in it; sockets that it hands out belong to the namespace for ever, whoever holds them. A
program enters by `nsenter`, which then becomes the program: same process id, same terminal, and for whoever is not root
no privilege that it had not before.
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from devices.errors import TransportUnavailableError
from devices.transports import namespace_holder

_PATIENCE_S = 10
_MOST_LINES = 200
"""In one request, which has to fit into one packet."""
_SCRIPT = str(Path(namespace_holder.__file__).resolve())
_TOOLS = {"unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2"}
_SEARCHED = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
_AS_ROOT = ("--net",)
_AS_USER = ("--user", "--map-current-user", "--keep-caps", "--net")
_ADVICE = (
    "run pairlab as root, or let users make namespaces: sysctl user.max_user_namespaces=10000, on Ubuntu also"
    " kernel.apparmor_restrict_unprivileged_userns=0, on Debian kernel.unprivileged_userns_clone=1; in a container add"
    " --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined"
)


class NetworkNamespace:
    """One namespace with its loopback up and nothing else. Close it when its programs have ended."""

    def __init__(
        self, process: asyncio.subprocess.Process, control: socket.socket, *, is_owned: bool, tools: dict[str, str]
    ) -> None:
        self._process = process
        self._control = control
        self._is_owned = is_owned
        self._tools = tools

    @classmethod
    async def open(cls, searched: str = _SEARCHED) -> Self:
        """Raises TransportUnavailableError, which says what the host lacks and what to do. `searched` is for tools."""
        if sys.platform != "linux":
            raise TransportUnavailableError(
                "network namespaces are Linux's; elsewhere let a scenario's phone be denied"
            )
        tools = {name: shutil.which(name, path=searched) for name in _TOOLS}
        missing = [name for name, path in tools.items() if path is None]
        if missing:
            packages = " ".join(sorted({_TOOLS[name] for name in missing}))
            raise TransportUnavailableError(
                f"a network namespace needs {', '.join(missing)} (Debian: apt install {packages})"
            )
        found = {name: path for name, path in tools.items() if path is not None}
        said = ""
        for options in (_AS_ROOT, _AS_USER) if os.geteuid() == 0 else (_AS_USER,):
            try:
                return await cls._start(options, found)
            except _NoNamespaceError as problem:
                said = said or str(problem)
        raise TransportUnavailableError(f"this host does not let us make a network namespace ({said}): {_ADVICE}")

    @classmethod
    async def _start(cls, options: Sequence[str], tools: dict[str, str]) -> Self:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_PATIENCE_S)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(tools["unshare"], *options, "--", sys.executable, "-I", "-S", _SCRIPT, str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        made = cls(process, ours, is_owned="--user" in options, tools=tools)
        try:
            made._ask({"start": "", "ip": tools["ip"], "lines": "link set lo up\n"})
        except TransportUnavailableError as problem:
            said = await made._end()
            raise _NoNamespaceError(said or str(problem)) from None
        return made

    def entry(self) -> Sequence[str]:
        """The words before a command that make it run in here."""
        into = ("--user", "--preserve-credentials") if self._is_owned else ()
        return (self._tools["nsenter"], "--target", str(self._process.pid), "--net", *into, "--")

    def new_socket(self, kind: Literal["tcp", "udp"]) -> socket.socket:
        """A new socket of the namespace, neither bound nor connected."""
        made = self._ask({"socket": kind})
        assert made is not None  # noqa: S101  # or it would have said why not
        return made

    def configure(self, lines: Sequence[str]) -> None:
        """Commands of `ip`, without the word itself, done at once and in order. Raises TransportUnavailableError."""
        for start in range(0, len(lines), _MOST_LINES):
            some = lines[start : start + _MOST_LINES]
            self._ask({"ip": self._tools["ip"], "lines": "".join(f"{each}\n" for each in some)})

    def counter(self, table: Literal["xfrm_stat", "snmp"], name: str) -> int:
        """What the kernel has counted in here; 0 where it does not count that."""
        try:
            lines = Path(f"/proc/{self._process.pid}/net/{table}").read_text(encoding="ascii").splitlines()
        except OSError:
            return 0
        counts: dict[str, str] = {}
        if table == "xfrm_stat":
            counts = dict(words for line in lines if len(words := line.split()) == 2)
        else:
            for names, values in zip(lines[::2], lines[1::2], strict=False):
                counts.update(zip(names.split()[1:], values.split()[1:], strict=False))
        return int(counts.get(name, "0"))

    async def close(self) -> None:
        """Let it go: it is gone with the last program and socket in it."""
        await self._end()

    async def _end(self) -> str:
        self._control.close()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                _, said = await self._process.communicate()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            _, said = await self._process.communicate()
        return said.decode("utf-8", "replace").strip()

    def _ask(self, request: dict[str, str]) -> socket.socket | None:
        try:
            self._control.send(json.dumps(request).encode())
            answer, passed, _, _ = socket.recv_fds(self._control, 1 << 16, 1)
        except OSError as problem:
            raise TransportUnavailableError(f"the network namespace does not answer: {problem}") from None
        if not answer:
            raise TransportUnavailableError("the network namespace is gone")
        error = json.loads(answer).get("error")
        if error is not None:
            raise TransportUnavailableError(f"the network namespace cannot do it: {error}")
        return socket.socket(fileno=passed[0]) if passed else None


class _NoNamespaceError(Exception):
    """This way of making one is not open to us; the message is what the tool said."""
