"""Commands that speak to a running home: its control API by URL, its refusals as our errors.

Only what is local is asked, so no proxy is used.
"""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from devices.errors import EmulatorError, HostError, UsageError

if TYPE_CHECKING:
    from urllib.error import HTTPError

URL_VARIABLE = "PAIRLAB_URL"
TOKEN_VARIABLE = "PAIRLAB_TOKEN"  # noqa: S105 - the name of a variable
DEFAULT_URL = "http://127.0.0.1:8700"
_ERRORS: Mapping[int, type[EmulatorError]] = {
    400: UsageError,
    401: UsageError,
    403: UsageError,
    404: UsageError,
    405: UsageError,
    422: UsageError,
    503: HostError,
}
"""The exit code that a problem's status means; any other is the answer no."""


class ControlClient:
    """One running home."""

    def __init__(self, url: str | None = None) -> None:
        self.url = (url or os.environ.get(URL_VARIABLE) or DEFAULT_URL).rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UsageError(f"{self.url!r} is no URL of a control API, such as {DEFAULT_URL}")

    def get(self, *path: str) -> Any:
        """What is at a path, given by its parts. Raises EmulatorError."""
        return self._ask("GET", path, None)

    def post(self, *path: str, body: Mapping[str, Any], secrets: bool = False) -> Any:
        """The answer to a body, with codes and keys only on request. Raises EmulatorError."""
        return self._ask("POST", path, body, "?secrets=true" if secrets else "")

    def first_phone(self) -> str:
        """The id of the home's first phone. Raises UsageError if it has none."""
        phones = self.get("v1", "phones")
        if not phones:
            raise UsageError(f"the home at {self.url} has no phone; give its file a [[phone]] table")
        return str(phones[0]["id"])

    def _ask(self, method: str, path: tuple[str, ...], body: Mapping[str, Any] | None, query: str = "") -> Any:
        from http.client import HTTPException  # these take longer to import than most commands run
        from urllib.error import HTTPError
        from urllib.request import ProxyHandler, Request, build_opener

        url = "/".join((self.url, *(quote(part, safe="") for part in path))) + query
        headers = {"Content-Type": "application/json"}
        if os.environ.get(TOKEN_VARIABLE):
            headers["Authorization"] = f"Bearer {os.environ[TOKEN_VARIABLE]}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, headers, method=method)  # noqa: S310 - http and https alone, see __init__
        try:
            with build_opener(ProxyHandler({})).open(request) as answer:
                return self._read(answer.read())
        except HTTPError as problem:
            raise self._error(problem) from None
        except (HTTPException, OSError) as problem:
            reason = getattr(problem, "reason", None) or problem
            raise HostError(
                f"no home answers at {self.url} ({reason}); start one with `pairlab up`, "
                f"or say where it is with --url or {URL_VARIABLE}"
            ) from None

    def _read(self, raw: bytes) -> Any:
        try:
            return json.loads(raw)
        except ValueError:
            raise UsageError(f"{self.url} is no pairlab control API: its answer is not JSON") from None

    def _error(self, problem: "HTTPError") -> EmulatorError:
        try:
            detail = str(json.loads(problem.read())["detail"])
        except (ValueError, KeyError, TypeError):
            return UsageError(f"{self.url} is no pairlab control API: it answers {problem.code}")
        return _ERRORS.get(problem.code, EmulatorError)(detail)
