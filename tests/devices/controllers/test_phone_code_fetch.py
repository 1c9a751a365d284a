"""A phone's user types a sharing code, on virtual time: found by Bonjour, fetched, judged by the phone's own store."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from devices import Home
from devices.errors import UnknownActorError
from tests.support.lan_border_router import add_border_router
from tests.support.thread_network import DATASET


@contextmanager
def home(**phone: Any) -> Iterator[Home]:
    """A border router that leads, and one phone."""
    with Home({"phone": [{"id": "phone", **phone}]}, seed=3, virtual=True) as running:
        add_border_router(running)
        yield running


def fetch(running: Home, **arguments: Any) -> dict[str, Any]:
    document: dict[str, Any] = running["phone"].do("fetch-by-code", **arguments).result()
    return document


def share(running: Home, lifetime: str = "2m") -> str:
    running.advance("3s")
    return str(running["br"].do("share-code", lifetime=lifetime).result()["code"])


@pytest.mark.parametrize("profile", ["ios-26", "android-16", "home-assistant"])
def test_the_store_of_each_platform_takes_what_the_code_is_worth(profile: str) -> None:
    with home(profile=profile) as running:
        code = share(running)
        document = fetch(running, target="br")
        assert document["outcome"] == "done", document
        assert document["value"]["dataset"] == DATASET.hex()
        running.events.wait("EphemeralKeyUsed")
        assert (len(running.events.all("CredentialStored")), len(running.events.all("CredentialRefused"))) == (1, 0)
        assert code not in str([each.as_json() for each in running.events.all()])


def test_a_profile_without_a_store_keeps_nothing() -> None:
    with home(profile="raw") as running:
        share(running)
        assert fetch(running)["value"]["network_name"] == DATASET.network_name
        assert running.events.all("CredentialStored") == []


def test_the_store_may_refuse_what_the_code_was_worth() -> None:
    with home(outcome="frozen", profile="ios-26") as running:
        share(running)
        document = fetch(running)
        assert (document["outcome"], document["verdict"]["rule"]) == ("refused", "frozen")
        assert len(running.events.all("CredentialsFetched")) == len(running.events.all("CredentialRefused")) == 1


def test_a_wrong_code_is_refused_on_both_sides() -> None:
    with home(code="wrong") as running:
        share(running)
        verdict = fetch(running)["verdict"]
        assert verdict["rule"] == "wrong-code"
        running.events.wait("HandshakeFailed", actor="br")
        assert running.events.all("CredentialsFetched") == []


def test_a_wrong_code_and_then_the_right_one() -> None:
    with home(code="wrong-then-right") as running:
        share(running)
        assert fetch(running)["outcome"] == "done"
        assert [each["is_waiting"] for each in running.events.all("CodeRequired")] == [False, False]


def test_whoever_drives_the_phone_types_where_its_user_does_not() -> None:
    with home(code="none", patience="5s") as running:
        code = share(running)
        assert fetch(running)["verdict"]["rule"] == "no-code-typed"
        assert fetch(running, code=f"{code[:3]}-{code[3:6]}-{code[6:]}")["outcome"] == "done"


def test_nobody_shares_and_nobody_of_that_name() -> None:
    with home() as running:
        running.advance("2s")
        assert fetch(running, target="br")["verdict"]["rule"] == "nobody-shares"
        with pytest.raises(UnknownActorError, match="did you mean 'br'"):
            fetch(running, target="brr")


def test_a_code_that_was_used_is_over() -> None:
    with home() as running:
        code = share(running)
        assert fetch(running)["outcome"] == "done"
        again = fetch(running, code=code)["verdict"]
        assert again["rule"] in ("nobody-listens", "nobody-shares")


def test_a_code_that_expires_while_its_user_reads_it_is_over() -> None:
    with home(code="none", patience="300s") as running:
        code = share(running, "10s")
        pending = running["phone"]
        running.advance("2s")
        running.advance("10s")
        document = pending.do("fetch-by-code", code=code).result()
        assert document["verdict"]["rule"] in ("nobody-listens", "nobody-shares")


def test_two_fetches_of_one_phone_draw_different_keys() -> None:
    with home() as running:
        share(running)
        fetch(running)
        running.advance("3s")
        share(running)
        fetch(running)
        keys = [each["keys"] for each in running.events.all("HandshakeCompleted") if each.actor == "phone"]
        assert len(keys) == 2
        assert keys[0] != keys[1]
