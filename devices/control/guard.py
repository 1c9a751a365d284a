"""Who may speak to the control API: this machine without a token, others with one; pages of other sites never.

A page whose name was rebound to 127.0.0.1 comes with its own name in `Host`, one that posts across sites with its own
`Origin`; both are refused (RFC 9110 section 7.2, the Fetch standard's Origin header).
"""

import hmac
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from devices.control.problems import Problem

EMULATOR_HOST = "10.0.2.2"
"""The address by which an Android emulator reaches the loopback of its host."""

_PAGES = ("/", "/docs", "/openapi.json")


class Guard:
    """ASGI middleware. With a token every request but those for the empty pages must carry it as a bearer."""

    def __init__(self, app: ASGIApp, token: str | None = None, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._token = token
        self._hosts = {"localhost", EMULATOR_HOST, *hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        problem = self._refusal(scope["path"], Headers(scope=scope))
        await (self._app if problem is None else problem)(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> Problem | None:
        host = headers.get("host", "")
        # Behind a token the name does not matter: a rebound page has no token.
        if self._token is None and not self._is_ours(f"//{host}"):
            return Problem(403, "foreign-host", f"the Host header is {host!r}; the control API is at 127.0.0.1")
        origin = headers.get("origin")
        if origin is not None and origin.rpartition("//")[2] != host and not self._is_ours(origin):
            return Problem(403, "foreign-origin", f"a page of {origin!r} may not use the control API")
        if self._token is not None and path not in _PAGES:
            given = headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
                return Problem(
                    401, "no-token", "send Authorization: Bearer TOKEN", headers={"WWW-Authenticate": "Bearer"}
                )
        return None

    def _is_ours(self, url: str) -> bool:
        try:
            name = urlsplit(url).hostname or ""
        except ValueError:
            return False
        return name in self._hosts or is_loopback(name)


def is_loopback(host: str) -> bool:
    """True for an address of this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
