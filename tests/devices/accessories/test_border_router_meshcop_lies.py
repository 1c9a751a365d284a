"""Lies of a border router towards Commissioners: each one fires, and is met with the verdict that tells it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from devices import Home
from devices.errors import EmulatorError, UsageError

PENDING = {"kind": "pending", "fields": {"channel": 20}}
RENAMED = {"fields": {"network_name": "Attic"}}


@contextmanager
def home() -> Iterator[Home]:
    """A border router that leads, and a commissioner."""
    router = {"id": "br", "kind": "thread-border-router", "attach": "1s"}
    tables = {"accessory": [router], "commissioner": [{"id": "installer", "patience": "20s"}]}
    with Home(tables, seed=1, virtual=True) as running:
        running.advance("2s")
        yield running


def do(running: Home, verb: str, actor: str = "installer", **arguments: Any) -> dict[str, Any]:
    document: dict[str, Any] = running[actor].do(verb, **arguments).result()
    return document


def rule(running: Home, verb: str, **arguments: Any) -> str:
    """Why it was refused; `done` if it was not."""
    document = do(running, verb, **arguments)
    return str(document["verdict"]["rule"]) if document["outcome"] == "refused" else "done"


@pytest.mark.parametrize(
    ("lie", "parameters", "arguments", "verdict"),
    [
        ("silent-on-wrong-key", {}, {"pskc": "0f" * 16}, "silence-after-proof"),
        ("hello-verify-storm", {}, {}, "handshake-refused"),
        ("hello-verify-storm", {"requests": 3}, {}, "done"),
        ("lost-fragment", {}, {}, "done"),
        ("ignore-hello", {}, {}, "silence-after-proof"),
        ("wrong-proof", {}, {}, "wrong-pskc"),
        ("wrong-finished", {}, {}, "wrong-pskc"),
        ("reject-petitions", {"holder": "installer 2"}, {}, "commissioner-active"),
    ],
)
def test_a_lie_about_the_petition_is_met(
    lie: str, parameters: dict[str, Any], arguments: dict[str, Any], verdict: str
) -> None:
    with home() as running:
        with running.fault(lie, target="br", **parameters):
            assert rule(running, "petition", **arguments) == verdict
        if verdict != "done":
            running.advance("3s")
            assert rule(running, "petition") == "done", "the truth again"


def test_a_leader_that_refuses_pending_datasets_takes_active_ones() -> None:
    with home() as running, running.fault("refuse-pending", target="br"):
        do(running, "petition")
        assert rule(running, "set", **PENDING) == "state-reject"
        assert rule(running, "set", **RENAMED) == "done"


@pytest.mark.parametrize("lie", ["ignore-keep-alives", "steal-session"])
def test_a_lost_place_ends_the_connection(lie: str) -> None:
    with home() as running, running.fault(lie, target="br"):
        do(running, "petition")
        running.advance("3m")
        assert running["installer"].state == "closed"
        assert [each for each in running.events.all("CommissionerLost") if each.actor == "installer"]


def test_a_dataset_that_changes_after_it_was_read_makes_the_set_too_old() -> None:
    with home() as running:
        do(running, "petition")
        with running.fault("change-dataset", target="br"):
            assert rule(running, "set", **RENAMED) == "active-timestamp-not-newer"
        (changed, *_) = running.events.all("DatasetChanged")
        assert (changed["cause"], changed["kind"]) == ("device", "active")
        running.advance("1s")
        assert running.events.all("DatasetChangeNotified"), "the Commissioner was told"
        assert rule(running, "set", **RENAMED) == "done"


def test_a_code_can_end_in_the_middle_of_a_fetch() -> None:
    with home() as running:
        code = do(running, "share-code", "br")["code"]
        with running.fault("expire-code", target="br"):
            assert rule(running, "fetch", code=code) == "request-failed"
        assert len(running.events.all("EphemeralKeyExpired")) == 1
        assert rule(running, "fetch", code=code) == "no-code-active"


def test_a_router_that_leaves_without_close_notify_says_nothing() -> None:
    with home() as running:
        with running.fault("no-close-notify", target="br"):
            do(running, "petition")
            do(running, "close")
            running.advance("1s")
        assert [each.actor for each in running.events.all("AlertSent")] == ["installer"]


def test_a_lie_that_nobody_meets_is_an_error() -> None:
    with (
        home() as running,
        pytest.raises(EmulatorError, match="'steal-session' on 'br' never fired"),
        running.fault("steal-session", target="br"),
    ):
        do(running, "petition")


def test_one_request_for_a_cookie_is_no_storm() -> None:
    with (
        home() as running,
        pytest.raises(EmulatorError, match="'hello-verify-storm' on 'br' never fired"),
        running.fault("hello-verify-storm", target="br", requests=1),
    ):
        assert rule(running, "petition") == "done"


@pytest.mark.parametrize(
    ("lie", "parameters"),
    [
        ("lost-fragment", {"number": 0}),
        ("lost-fragment", {"mtu": 10}),
        ("hello-verify-storm", {"requests": -1}),
        ("reject-petitions", {"holder": ""}),
    ],
)
def test_parameters_out_of_range_are_refused(lie: str, parameters: dict[str, Any]) -> None:
    with home() as running, pytest.raises(UsageError, match=lie), running.fault(lie, target="br", **parameters):
        pass
