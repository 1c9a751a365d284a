"""A central of the home and accessories beside it, on virtual time: scenarios need nobody else for Bluetooth."""

from typing import Any

import pytest

from devices import Home
from devices.errors import ActionRefusedError, UsageError

LOCK: dict[str, Any] = {
    "id": "lock",
    "kind": "ble-peripheral",
    "name": "Lock",
    "advert": {"services": ["fff0"], "name": "scan-response"},
    "service": [
        {
            "uuid": "fff0",
            "characteristic": [
                {"uuid": "fff1", "properties": ["read", "write"], "security": "authenticated", "text": "locked"},
                {"uuid": "2a19", "properties": ["read", "notify"], "number": 100},
            ],
        }
    ],
}


def home(pairing: dict[str, Any] | None = None, central: dict[str, Any] | None = None, **lock: Any) -> Home:
    accessories = [
        {**LOCK, "pairing": pairing or {"method": "just-works"}, **lock},
        {"id": "hub", "kind": "ble-central", **({"pairing": central} if central else {})},
    ]
    return Home({"accessory": accessories}, seed=1, virtual=True)


def do(place: Home, verb: str, actor: str = "hub", **arguments: Any) -> Any:
    return place[actor].do(verb, **arguments).result()


def told(place: Home, kind: str, actor: str) -> list[dict[str, Any]]:
    return [each.as_json() for each in place.events.all(kind) if each.actor == actor]


def test_it_finds_connects_reads_writes_and_is_told() -> None:
    with home() as place:
        (found,) = do(place, "scan")["found"]
        assert (found["name"], found["services"], found["rssi"]) == ("Lock", ["fff0"], -50)
        assert [each["peer"] for each in told(place, "PeerDiscovered", "hub")] == [place["lock"].endpoints["ble"]]
        assert "fff0/2a19" in do(place, "connect")["value"]["characteristics"]
        assert (place["hub"].state, place["lock"].state) == ("connected", "connected")
        assert do(place, "read", characteristic="2a19")["value"] == {"characteristic": "fff0/2a19", "value": "64"}
        do(place, "subscribe", characteristic="2a19")
        do(place, "notify", "lock", characteristic="2a19", value="05")
        place.advance("1s")
        do(place, "unsubscribe", characteristic="2a19")
        do(place, "notify", "lock", characteristic="2a19", value="04")
        place.advance("1s")
        assert [each["value"] for each in told(place, "CharacteristicNotified", "hub")] == ["05"]
        assert do(place, "disconnect")["outcome"] == "done"
        assert place["hub"].state == "on"


def test_a_protected_value_is_refused_until_the_passkey_was_typed_wrong_then_right() -> None:
    with home({"method": "passkey-shown"}, {"method": "passkey-typed", "code": "wrong-then-right"}) as place:
        do(place, "connect")
        assert do(place, "read", characteristic="fff1")["verdict"]["rule"] == "insufficient-authentication"
        assert do(place, "pair")["outcome"] == "refused"
        assert do(place, "pair")["outcome"] == "done"
        place.advance("1s")
        for actor in ("lock", "hub"):
            assert [each["cause"] for each in told(place, "PairingFailed", actor)] == ["wrong-passkey"]
            assert [each["authenticated"] for each in told(place, "PairingCompleted", actor)] == [True]
        assert do(place, "write", characteristic="fff1", value="6f70656e")["outcome"] == "done"
        assert place["lock"].facts["values"]["fff0/fff1"] == "6f70656e"


@pytest.mark.parametrize(
    ("lock", "authenticated"),
    [
        ({"method": "just-works"}, False),
        ({"method": "passkey-shown"}, True),
        ({"method": "passkey-typed"}, True),
        ({"method": "numeric-comparison"}, True),
        ({"method": "keyboard-and-display"}, True),
    ],
)
def test_a_phone_like_central_pairs_every_way_and_its_bond_is_good_later(
    lock: dict[str, Any], authenticated: bool
) -> None:
    with home(lock) as place:
        do(place, "connect")
        assert do(place, "pair")["outcome"] == "done"
        place.advance("1s")
        (completed,) = told(place, "PairingCompleted", "lock")
        assert completed["authenticated"] == authenticated
        do(place, "restart")
        place.advance("30s")
        do(place, "connect")
        assert do(place, "pair")["outcome"] == "done"
        assert len(told(place, "PairingVerified", "hub")) == len(told(place, "PairingVerified", "lock")) == 1
        assert place["hub"].facts["bonded"] == [place["lock"].endpoints["ble"]]


def test_a_code_that_somebody_says_is_typed() -> None:
    with home({"method": "passkey-shown", "passkey": "123456"}) as place:
        do(place, "connect")
        assert do(place, "pair", code="000001")["outcome"] == "refused"
        assert do(place, "pair", code="123456")["outcome"] == "done"


def test_what_is_forgotten_on_one_side_is_refused_with_its_rule() -> None:
    with home() as place:
        do(place, "connect")
        do(place, "pair")
        place.advance("1s")
        assert do(place, "forget", "lock") == {"forgotten": 1}
        do(place, "disconnect")
        place.advance("1s")
        do(place, "connect")
        assert "missing" in do(place, "pair")["verdict"]["came"].lower()
        assert do(place, "forget") == {"forgotten": 1}
        assert do(place, "pair")["outcome"] == "done"


def test_refusals_of_the_radio_and_the_peer_have_verdicts() -> None:
    with home(lies=["parts-on-read"]) as place:
        assert do(place, "read", characteristic="2a19")["verdict"]["rule"] == "connected"
        do(place, "hide", "lock")
        assert do(place, "connect", patience="3s")["verdict"]["came"] == "none"
        do(place, "advertise", "lock")
        do(place, "connect")
        with pytest.raises(ActionRefusedError, match="is connected to"):
            do(place, "connect")
        assert do(place, "write", characteristic="2a19", value="00")["verdict"]["rule"] == "write-not-permitted"
        assert do(place, "read", characteristic="2a19")["verdict"]["rule"] == "connected"
        assert place["hub"].state == "on"


def test_wrong_usage_says_what_would_be_right() -> None:
    with home() as place:
        with pytest.raises(UsageError, match="one of"):
            do(place, "connect", target="look")
        do(place, "connect", address=place["lock"].endpoints["ble"])
        for verb, arguments in (
            ("read", {"characteristic": "2a18"}),
            ("write", {"characteristic": "fff1", "value": "x"}),
            ("pair", {"code": "12"}),
        ):
            with pytest.raises(UsageError):
                do(place, verb, **arguments)
        do(place, "power-off")
        with pytest.raises(ActionRefusedError, match="switched off"):
            do(place, "scan")


def test_one_seed_gives_one_story() -> None:
    def story() -> list[dict[str, Any]]:
        with home({"method": "passkey-shown"}) as place:
            do(place, "connect")
            do(place, "pair")
            place.advance("3s")
            return [each.as_json(secrets=True) for each in place.events.all()]

    assert story() == story()
