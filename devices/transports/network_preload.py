"""The local network denied inside a program: a small library that is preloaded, for hosts without network namespaces.

Less than `LocalNetwork`: what is open when it is denied goes on, the home's multicast DNS is still heard, and programs
that are linked statically, or talk to the kernel themselves as Go's do, are not met. More: the internet is there. Linux
with a C compiler.
"""

import asyncio
import contextlib
import errno
import mmap
import os
import shutil
import socket
import struct
import tempfile
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

from devices.errors import TransportUnavailableError
from devices.transports.local_network import Reject
from devices.transports.sockets import watch_sockets

_SOURCE = Path(__file__).with_name("no_route.c")
_PAGE_VARIABLE = "PAIRLAB_NO_ROUTE"
_COMPILERS = ("cc", "gcc", "clang")
_HEAD = struct.Struct("=II")
_PORTS = 8192
_ERRORS = {"no-route": errno.EHOSTUNREACH, "refused": errno.ECONNREFUSED}


class NetworkPreload:
    """One library and the page of memory that it asks; a `SocketWatcher`. Open it before the home, close it after."""

    def __init__(self, folder: "tempfile.TemporaryDirectory[str]") -> None:
        self._folder = folder
        self._library, path = Path(folder.name) / "no_route.so", Path(folder.name) / "page"
        with path.open("w+b") as file:
            file.truncate(_HEAD.size + 2 * _PORTS)
            self._page = mmap.mmap(file.fileno(), 0)
        self._path = path
        self._ports: dict[int, tuple[int, int]] = {}
        self._counted = 0

    @classmethod
    async def open(cls) -> Self:
        """Granted at first. Raises TransportUnavailableError where there is no compiler, or it fails."""
        compiler = next(filter(None, map(shutil.which, _COMPILERS)), None)
        if compiler is None:
            raise TransportUnavailableError(f"there is no C compiler ({', '.join(_COMPILERS)})")
        made = cls(tempfile.TemporaryDirectory(prefix="pairlab-preload-"))
        try:
            await made._compile(compiler)
        except BaseException:
            await made.close()
            raise
        watch_sockets(made)
        return made

    async def _compile(self, compiler: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *(compiler, "-shared", "-fPIC", "-O1", "-o", str(self._library), str(_SOURCE), "-ldl"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        if process.returncode:
            lines = said.decode("utf-8", "replace").strip().splitlines() or ["it says nothing"]
            raise TransportUnavailableError(f"{compiler} fails: {lines[0]}")

    def entry(self) -> Sequence[str]:
        """The words before a command that preload the library."""
        before = os.environ.get("LD_PRELOAD")
        libraries = ":".join((str(self._library), *([before] if before else [])))
        return (shutil.which("env") or "/usr/bin/env", f"LD_PRELOAD={libraries}", f"{_PAGE_VARIABLE}={self._path}")

    def adopt(self, addresses: Iterable[IPv4Address]) -> None:
        """Accessories are told by their ports alone."""

    def admit(self, host: str, port: int) -> None:
        """What is not on the local network is open as it is."""

    def opened(self, sock: socket.socket, *, on_lan: bool) -> None:
        """An accessory's port from now on."""
        if on_lan:
            kind = 0 if sock.type == socket.SOCK_STREAM else 1
            self._ports[id(sock)] = (kind, sock.getsockname()[1])
            self._mark(*self._ports[id(sock)])

    def closed(self, sock: socket.socket) -> None:
        """Anybody's again."""
        place = self._ports.pop(id(sock), None)
        if place is not None:
            self._mark(*place)

    def _mark(self, kind: int, port: int) -> None:
        place, bit = _HEAD.size + kind * _PORTS + port // 8, 1 << port % 8
        if (kind, port) in self._ports.values():
            self._page[place] |= bit
        else:
            self._page[place] &= ~bit & 0xFF

    def deny(self, reject: Reject) -> int:
        """Shut the local network off; no connection is reset."""
        self._counted = self._count()
        self._set(_ERRORS[reject])
        return 0

    def grant(self) -> None:
        """Open it again: the next call works."""
        self._set(0)

    def _set(self, error: int) -> None:
        self._page[:4] = struct.pack("=I", error)

    def refused(self) -> int:
        """How many calls of the program were refused since this was asked last, or since the denial began."""
        before, self._counted = self._counted, self._count()
        return self._counted - before

    def _count(self) -> int:
        return int(_HEAD.unpack_from(self._page)[1])

    async def close(self) -> None:
        """Forget it; a program that still runs keeps its copy, and is granted."""
        with contextlib.suppress(ValueError):
            self.grant()
            self._page.close()
        self._folder.cleanup()
