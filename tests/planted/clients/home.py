"""What the sample clients share: the home they are beside, one HTTP question, and the name of their bug.

Standard library only, so that a program reads as one that somebody could have written against a real hub.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 20


def chosen_bug(bugs: Mapping[str, str]) -> str | None:
    """The bug that the command line asks for, or none: then the program is correct. An unknown one ends with 2."""
    match sys.argv[1:]:
        case []:
            return None
        case ["--bug", bug] if bug in bugs:
            return bug
    names = ", ".join(bugs)
    print(f"usage: {Path(sys.argv[0]).name} [--bug BUG], where BUG is one of {names}", file=sys.stderr)
    raise SystemExit(2)


def home() -> dict[str, Any]:
    """The document of `PAIRLAB_HOME`."""
    document: dict[str, Any] = json.loads(Path(os.environ["PAIRLAB_HOME"]).read_text(encoding="utf-8"))
    return document


def accessory(accessory_id: str) -> dict[str, Any]:
    """One accessory of the home, with its endpoints, facts and what it shows."""
    found: dict[str, Any] = next(each for each in home()["accessories"] if each["id"] == accessory_id)
    return found


def ask(
    method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any, Mapping[str, str]]:
    """One HTTP request: status, body (parsed where it is JSON), headers. A refusal is an answer, not an exception.

    A body that is text or bytes goes as it is, any other as JSON.
    """
    content = body.encode() if isinstance(body, str) else body
    if content is not None and not isinstance(content, bytes):
        content = json.dumps(content).encode()
    kind = {} if body is None or isinstance(body, str | bytes) else {"Content-Type": "application/json"}
    request = urllib.request.Request(url, content, {**kind, **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status, _parsed(answer.read(), answer.headers), answer.headers
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, _parsed(refusal.read(), refusal.headers), refusal.headers


def control(method: str, path: str, body: object = None) -> Any:
    """A question to the control API, at `path` below `/v1/`; what it answers. A problem document ends the program."""
    status, answer, _ = ask(method, f"{os.environ['PAIRLAB_URL'].rstrip('/')}/v1/{path}", body)
    if status >= 400:
        raise SystemExit(f"{method} {path}: {status} {answer}")
    return answer


def wait_for(event: str, within: float = TIMEOUT_SECONDS, **where: Any) -> dict[str, Any]:
    """The first event of this type since the home began, as the control API shows it; where none comes, we end.

    `where` takes members of the event, `actor` and `after` (an event's id) with it.
    """
    body: dict[str, Any] = {
        "type": event,
        "timeout": f"{within}s",
        "after": where.pop("after", 0),
        "actor": where.pop("actor", None),
    }
    found = control("POST", "events/wait", {**body, "where": where})
    if not found["matched"]:
        raise SystemExit(f"no {event} with {where} within {within} s")
    waited: dict[str, Any] = found["event"]
    return waited


def _parsed(content: bytes, headers: Mapping[str, str]) -> Any:
    if "json" in headers.get("Content-Type", ""):
        return json.loads(content) if content else None
    return content.decode(errors="replace")
