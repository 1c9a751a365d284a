"""A border router's MeshCoP on virtual time: keys, sets, sharing codes, and what ends a connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from devices import Home
from devices.errors import ActionRefusedError, HomeFileError
from pairing.thread.ephemeral_key import is_valid_code
from tests.support.thread_network import DATASET

NAMED = {"network_name": "Test Network", "ext_pan_id": "0001020304050607"}
PASSPHRASE = {"passphrase": "12SECRETPASSWORD34", "network_name": "Test Network", "ext_pan_id": "0001020304050607"}


@contextmanager
def home(**router: Any) -> Iterator[Home]:
    """A border router that leads, and two commissioners."""
    table = {"id": "br", "kind": "thread-border-router", "name": "Living Room", "attach": "1s", **router}
    commissioners = [{"id": name, "patience": "15s"} for name in ("alpha", "beta")]
    with Home({"accessory": [table], "commissioner": commissioners}, seed=1, virtual=True) as running:
        running.advance("2s")
        yield running


def do(running: Home, actor: str, verb: str, **arguments: Any) -> Any:
    return running[actor].do(verb, **arguments).result()


def rule(running: Home, actor: str, verb: str, **arguments: Any) -> str:
    """Why it was refused; `done` if it was not."""
    document = do(running, actor, verb, **arguments)
    return str(document["verdict"]["rule"]) if document["outcome"] == "refused" else "done"


def told(running: Home, kind: str, actor: str = "br") -> list[Any]:
    return [each for each in running.events.all(kind) if each.actor == actor]


# The Commissioners' key


def test_a_passphrase_in_the_table_is_good_for_a_commissioner() -> None:
    with home(dataset=NAMED, passphrase="12SECRETPASSWORD34") as running:
        assert rule(running, "alpha", "petition", **PASSPHRASE) == "done"
        assert rule(running, "beta", "get", pskc="c3f59368445a1b6106be420a706d4cc9") == "done"


def test_a_pskc_in_the_table_stands_in_for_the_datasets() -> None:
    with home(dataset=DATASET.hex(), pskc="0F" * 16) as running:
        assert rule(running, "alpha", "petition", pskc="0f" * 16) == "done"
        assert rule(running, "beta", "petition", pskc=(DATASET.pskc or b"").hex()) == "wrong-pskc"


def test_a_pskc_of_zeros_lets_nobody_in() -> None:
    with home(pskc="00" * 16) as running:
        assert rule(running, "alpha", "petition", pskc="0f" * 16) == "no-answer"
        (ignored, *_) = told(running, "FrameIgnored")
        assert "without PSKc" in ignored["reason"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"pskc": "s3cr3t"}, "pskc: expected 32 hex digits, not another text"),
        ({"pskc": "0f" * 16, "passphrase": "12S3CR3T"}, "not both"),
        ({"passphrase": "s3cr"}, "passphrase"),
        ({"passphrase": "12S3CR3T", "dataset": "none"}, "need a dataset of the router's own"),
    ],
)
def test_a_bad_credential_is_refused_without_being_told(keys: dict[str, str], said: str) -> None:
    with pytest.raises(HomeFileError, match=said) as refused, home(**keys):
        pass
    assert "s3cr" not in str(refused.value).lower()


# Sets and what follows


def test_a_set_is_seen_by_bonjour_and_events_and_outlives_a_restart() -> None:
    with home(dataset=NAMED) as running:
        do(running, "alpha", "petition")
        assert rule(running, "alpha", "set", fields={"network_name": "Attic"}) == "done"
        running.advance("1s")
        (changed,) = told(running, "DatasetChanged")
        assert (changed["cause"], changed["network_name"]) == ("commissioner", "Attic")
        assert told(running, "ServiceUpdated")
        assert running["br"].facts["network_name"] == "Attic"
        asked = [(each["path"], each["protocol"], each["status"]) for each in told(running, "RequestReceived")]
        assert ("c/cp", "meshcop", "2.04") in asked
        assert ("c/as", "meshcop-proxy", "2.04") in asked
        do(running, "br", "restart")
        running.advance("5s")
        assert running["br"].facts["network_name"] == "Attic"
        assert rule(running, "beta", "get") == "done"


def test_a_pending_dataset_comes_into_force_and_the_commissioner_stays() -> None:
    with home(dataset=NAMED) as running:
        do(running, "alpha", "petition")
        fields = {"channel": 20, "network_name": "Later", "delay_timer_ms": 30_000}
        assert rule(running, "alpha", "set", kind="pending", fields=fields) == "done"
        running.advance("29s")
        assert running["br"].facts["network_name"] == "Test Network"
        running.advance("2s")
        assert running["br"].facts["network_name"] == "Later"
        assert [each["cause"] for each in told(running, "DatasetChanged")][-1] == "delay-timer"
        assert told(running, "DatasetChangeNotified", "alpha") == []
        assert running["alpha"].state == "active"


@pytest.mark.parametrize("replaces", [False, True])
def test_a_set_without_session_id_replaces_the_dataset_only_on_request(replaces: bool) -> None:
    table = {"id": "br", "kind": "thread-border-router", "attach": "1s", "replace_without_session_id": replaces}
    careless = {"id": "careless", "lies": ["no-session-id"]}
    with Home({"accessory": [table], "commissioner": [careless]}, seed=1, virtual=True) as running:
        running.advance("2s")
        do(running, "careless", "petition")
        before = running["br"].facts["ext_pan_id"]
        said = rule(running, "careless", "set", fields={"network_name": "Attic"})
        assert said == ("done" if replaces else "session-id-missing")
        assert running["br"].facts["ext_pan_id"] == (None if replaces else before)


# What ends a connection


@pytest.mark.parametrize("after", ["1s", "30s", "49s"])
def test_a_petition_long_after_the_handshake_holds_its_place(after: str) -> None:
    with home() as running:
        assert rule(running, "alpha", "get") == "done"
        running.advance(after)
        assert rule(running, "alpha", "petition") == "done"
        running.advance("5m")
        assert running["alpha"].state == "active"
        assert told(running, "CommissionerLost") == []


@pytest.mark.parametrize(
    ("verb", "arguments", "reason"),
    [("power-off", {}, "disconnected"), ("disable", {}, "disconnected"), ("factory-reset", {}, "disconnected")],
)
def test_a_router_that_goes_takes_its_leave_of_the_commissioner(
    verb: str, arguments: dict[str, Any], reason: str
) -> None:
    with home() as running:
        do(running, "alpha", "petition")
        do(running, "br", verb, **arguments)
        running.advance("1s")
        assert running["alpha"].state == "closed"
        assert [each["reason"] for each in told(running, "CommissionerLost", "alpha")] == [reason]
        assert rule(running, "beta", "petition", pskc="0f" * 16) == "not-listening"


def test_a_router_without_power_says_nothing_and_serves_again_when_it_is_back() -> None:
    with home() as running:
        do(running, "alpha", "petition")
        do(running, "br", "power-off", goodbye=False)
        running.advance("10s")
        assert running["alpha"].state == "active"
        do(running, "br", "power-on")
        running.advance("3s")
        assert rule(running, "beta", "petition") == "done"


def test_each_time_thread_is_enabled_it_listens_at_another_port() -> None:
    with home() as running:
        before = running["br"].endpoints["meshcop"]
        do(running, "br", "disable")
        assert "meshcop" not in running["br"].endpoints
        do(running, "br", "enable")
        running.advance("2s")
        assert running["br"].endpoints["meshcop"] != before
        assert rule(running, "alpha", "petition") == "done"


# Sharing by code


def sharing(running: Home) -> bool:
    return "_meshcop-e._udp" in running["br"].facts["services"]


def test_a_code_is_shown_published_and_good_for_one_use() -> None:
    with home() as running:
        shared = do(running, "br", "press")
        code = shared["code"]
        assert is_valid_code(code)
        assert running["br"].shows == {"code": code}
        assert running["br"].endpoints["ephemeral-key"].endswith(f":{shared['port']}")
        (shown,) = told(running, "CodeShown")
        assert (shown["kind"], shown["code"]) == ("ephemeral-key", code)
        running.advance("1s")
        assert sharing(running)
        with pytest.raises(ActionRefusedError, match="a code is active already"):
            do(running, "br", "share-code")
        fetched = do(running, "alpha", "fetch", code=code)
        assert fetched["value"]["network_name"] == running["br"].facts["network_name"]
        running.advance("3s")
        assert len(told(running, "EphemeralKeyUsed")) == 1
        assert (running["br"].shows, sharing(running)) == ({}, False)
        assert "ephemeral-key" not in running["br"].endpoints
        assert do(running, "br", "share-code")["code"] != code
        assert code not in str([each.as_json() for each in running.events.all()])


def test_a_code_ends_with_its_time_under_a_connection() -> None:
    with home() as running:
        code = do(running, "br", "share-code", lifetime="30s")["code"]
        assert rule(running, "alpha", "petition", code=code) == "done"
        running.advance("31s")
        assert len(told(running, "EphemeralKeyExpired")) == 1
        assert running["alpha"].state == "closed"
        assert not sharing(running)


def test_stop_sharing_withdraws_the_code() -> None:
    with home() as running:
        code = do(running, "br", "share-code")["code"]
        running.advance("1s")
        do(running, "br", "stop-sharing")
        running.advance("1s")
        assert not sharing(running)
        assert rule(running, "alpha", "fetch", code=code) == "no-code-active"
        assert [each["reason"] for each in told(running, "EphemeralKeyDeactivated")] == ["deactivated"]


def test_ten_wrong_codes_are_the_end_of_the_right_one() -> None:
    with home() as running:
        code = do(running, "br", "share-code")["code"]
        wrong = "123456789" if code != "123456789" else "987654321"
        for _ in range(10):
            assert rule(running, "alpha", "fetch", code=wrong) == "wrong-code"
            running.advance("3s")
        assert [each["reason"] for each in told(running, "EphemeralKeyDeactivated")] == ["too many failed attempts"]
        assert rule(running, "beta", "fetch", code=code) == "no-code-active"


def test_a_port_whose_code_was_refused_is_closed_again() -> None:
    with home(ephemeral_key=False) as running:
        with pytest.raises(ActionRefusedError, match="cannot activate"):
            do(running, "br", "share-code")
        running.advance("1s")
        assert "ephemeral-key" not in running["br"].endpoints
