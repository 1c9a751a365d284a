"""Commissioners of a home on virtual time: keep-alives for ever, turns, the end of a code, silence, lost datagrams."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from devices import Home
from tests.support.lan_border_router import add_border_router


@contextmanager
def home(*commissioners: dict[str, Any], **tables: Any) -> Iterator[Home]:
    """A border router that leads, and these commissioners, of whom it is the only one."""
    with Home({"commissioner": list(commissioners), **tables}, seed=3, virtual=True) as running:
        add_border_router(running)
        yield running


def do(running: Home, actor: str, verb: str, **arguments: Any) -> dict[str, Any]:
    document: dict[str, Any] = running[actor].do(verb, **arguments).result()
    return document


def lost(running: Home, actor: str) -> list[str]:
    return [each["reason"] for each in running.events.all("CommissionerLost") if each.actor == actor]


def test_a_place_is_held_for_as_long_as_its_holder_likes() -> None:
    with home({"id": "installer"}) as running:
        assert do(running, "installer", "petition")["outcome"] == "done"
        running.advance("1h")
        assert running["installer"].state == "active"
        assert lost(running, "br") == []
        assert do(running, "installer", "resign")["outcome"] == "done"
        assert lost(running, "br") == ["resigned"]


def test_who_vanishes_is_dropped_and_the_next_gets_the_place() -> None:
    with home({"id": "alpha"}, {"id": "beta"}) as running:
        do(running, "alpha", "petition")
        assert do(running, "beta", "petition")["verdict"]["came"] == "'alpha' is active"
        do(running, "alpha", "power-off")
        running.advance("51s")
        assert lost(running, "br") == ["timeout"]
        assert do(running, "beta", "petition")["outcome"] == "done"


def test_a_silent_one_is_told_by_the_end_of_its_connection() -> None:
    with home({"id": "mute", "lies": ["no-keep-alive"]}) as running:
        do(running, "mute", "petition")
        running.advance("60s")
        assert lost(running, "mute") == ["disconnected"]
        assert running["mute"].state == "closed"


def test_one_that_forgets_its_session_id_is_told_the_rule() -> None:
    with home({"id": "careless", "lies": ["no-session-id"]}) as running:
        do(running, "careless", "petition")
        verdict = do(running, "careless", "set", fields={"network_name": "Attic"})["verdict"]
        assert (verdict["rule"], verdict["symptom"]) == ("session-id-missing", "State reject")


def test_the_end_of_a_code_cuts_off_who_came_in_by_it() -> None:
    with home({"id": "guest"}) as running:
        running.advance("1s")
        code = do(running, "br", "share-code", lifetime="2m")["code"]
        assert do(running, "guest", "petition", code=code)["outcome"] == "done"
        running.advance("121s")
        assert len(running.events.all("EphemeralKeyExpired")) == 1
        assert lost(running, "guest") == ["disconnected"]
        over = do(running, "guest", "petition", code=code)["verdict"]
        assert (over["rule"], "share-code" in over["hint"]) == ("no-code-active", True)


def test_a_lost_flight_is_repeated_and_a_lost_network_is_told() -> None:
    with home({"id": "installer", "patience": "20s"}) as running:
        with running.fault("drop", target="br", direction="out", medium="lan", probability=0.5):
            assert do(running, "installer", "get")["outcome"] == "done"
        do(running, "installer", "close")
        with running.fault("drop", target="br", direction="out", medium="lan"):
            verdict = do(running, "installer", "petition")["verdict"]
        assert (verdict["rule"], verdict["came"]) == ("no-answer", "nothing within 20 s")


def test_the_same_seed_gives_the_same_transcript() -> None:
    def transcript() -> bytes:
        with home({"id": "installer"}) as running:
            do(running, "installer", "petition")
            do(running, "installer", "set", fields={"network_name": "Attic"})
            do(running, "installer", "resign")
            return running.transcript

    assert transcript() == transcript()
