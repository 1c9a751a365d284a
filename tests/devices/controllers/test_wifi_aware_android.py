"""Two Android phones by their own methods and callbacks, in virtual time: discovery, messages, pairing, networks."""

from typing import Any

import pytest

from devices.errors import ActionRefusedError, UsageError
from devices.home import Home
from pairing.nan.network_specifier import PASSPHRASE_LENGTHS

SERVICE = "com.example.chat"
PIN_DISPLAY, PIN_KEYPAD, OPPORTUNISTIC = 0x02, 0x20, 0x01
SHORTEST = "x" * PASSPHRASE_LENGTHS.start


class Phones:
    """A publisher `pub` and a subscriber `sub`, attached and in each other's view."""

    def __init__(self, *, pairing: dict[str, Any] | None = None, subscribe: dict[str, Any] | None = None) -> None:
        phones = [{"id": name, "name": name, "profile": "android-17"} for name in ("pub", "sub")]
        self.home = Home({"phone": phones}, seed=3, virtual=True)
        self._pairing = pairing
        self._subscribe = subscribe or {}
        self.session: dict[str, int] = {}

    def __enter__(self) -> "Phones":
        self.home.start()
        able = {"pairing_setup_enabled": True, "pairing_cache_enabled": True, "pairing_verification_enabled": True}
        pub = None if self._pairing is None else {**able, "bootstrapping_methods": PIN_DISPLAY, **self._pairing}
        sub = None if self._pairing is None else {**able, "bootstrapping_methods": PIN_KEYPAD}
        publish = {"service_name": SERVICE, "service_specific_info": "c0ffee", "pairing_config": pub}
        subscribe = {"service_name": SERVICE, "pairing_config": sub, **self._subscribe}
        for name, kind, config in (("pub", "publish", publish), ("sub", "subscribe", subscribe)):
            self.call(name, "attach")
            self.session[name] = self.call(name, kind, config=config)
        self.home.advance("1s")
        return self

    @property
    def peer(self) -> dict[str, Any]:
        """The publisher as the subscriber's app names it."""
        found = self.told("sub", "onServiceDiscovered")[0]["arguments"]
        return {"session": self.session["sub"], "peer_handle": found["peer_handle"]}

    def __exit__(self, *error: object) -> None:
        self.home.stop()

    def result(self, phone: str, called: str, **arguments: Any) -> dict[str, Any]:
        """The document of a call."""
        made = self.home.live.phone(phone).android.call(called, arguments)
        found: dict[str, Any] = self.home.submit(made).result()
        return found

    def call(self, phone: str, called: str, **arguments: Any) -> Any:
        """The value of a call that goes well."""
        document = self.result(phone, called, **arguments)
        assert document["outcome"] == "done", document
        return document["value"]

    def told(self, phone: str, name: str | None = None) -> list[dict[str, Any]]:
        """The callbacks so far."""
        after = self.home.live.phone(phone).android.callbacks.after(0, 0, name)
        return list(self.home.submit(after).result())

    def wait(self, phone: str, name: str) -> dict[str, Any]:
        """The arguments of the newest such callback, waited for."""
        callbacks = self.home.live.phone(phone).android.callbacks
        found = self.home.submit(callbacks.after(0, 60_000_000, name)).result()
        assert found, f"{phone} was not told {name}"
        arguments: dict[str, Any] = found[-1]["arguments"]
        return arguments

    def bootstrapped(self, method: int = PIN_DISPLAY) -> dict[str, Any]:
        """Both agree on a method; the peer as the subscriber knows it."""
        self.call("sub", "initiateBootstrappingRequest", **self.peer, method=method)
        self.wait("sub", "onBootstrappingSucceeded")
        self.wait("pub", "onBootstrappingSucceeded")
        return self.peer

    def asked(self) -> dict[str, Any]:
        """The pairing request as the publisher's app got it."""
        return {"session": self.session["pub"], **self.wait("pub", "onPairingSetupRequestReceived")}

    def paired(self) -> None:
        """Both apps pair with a password that they share."""
        password = "314159"
        self.call("sub", "initiatePairingRequest", **self.bootstrapped(), alias="publisher", password=password)
        self.call("pub", "acceptPairingRequest", **self.asked(), alias="subscriber", password=password)
        self.wait("sub", "onPairingSetupSucceeded")
        self.wait("pub", "onPairingSetupSucceeded")
        self.home.advance("2s")


# Discovery.


def test_sessions_start_and_find_what_they_look_for() -> None:
    with Phones(pairing={}) as phones:
        assert [each["callback"] for each in phones.told("pub")[:2]] == ["onAttached", "onPublishStarted"]
        found = phones.wait("sub", "onServiceDiscovered")
        assert found["service_specific_info"] == "c0ffee"
        assert found["pairing_config"] == {
            "pairing_setup_enabled": True,
            "pairing_cache_enabled": True,
            "pairing_verification_enabled": True,
            "bootstrapping_methods": PIN_DISPLAY,
        }
        numbers = [each["number"] for each in phones.told("sub")]
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_publisher_that_changes_or_leaves_is_told_of() -> None:
    with Phones() as phones:
        config = {"service_name": SERVICE, "service_specific_info": "beef"}
        phones.call("pub", "updatePublish", session=phones.session["pub"], config=config)
        assert phones.wait("pub", "onSessionConfigUpdated") == {}
        phones.home.advance("2s")
        assert phones.wait("sub", "onServiceDiscovered")["service_specific_info"] == "beef"
        phones.call("pub", "close", session=phones.session["pub"])
        assert phones.wait("pub", "onSessionTerminated") == {}
        assert phones.wait("sub", "onServiceLost") == {"peer_handle": phones.peer["peer_handle"], "reason": 1}


def test_a_session_ends_when_its_time_is_over_and_others_are_not_ours() -> None:
    with Phones(subscribe={"ttl_sec": 5}) as phones:
        phones.home.advance("6s")
        assert phones.wait("sub", "onSessionTerminated") == {}
        with pytest.raises(ActionRefusedError, match="no session"):
            phones.call("sub", "sendMessage", **phones.peer, message_id=1, message="00")
        phones.call("sub", "close")
        phones.call("pub", "close")
        assert not phones.home.live.phone("pub").handset.aware.device.sessions


def test_filters_keep_strangers_apart() -> None:
    with Phones(subscribe={"match_filter": ["01"]}) as phones:
        phones.home.advance("10s")
        assert phones.told("sub", "onServiceDiscovered") == []


def test_messages_go_both_ways_and_their_fate_is_told() -> None:
    with Phones() as phones:
        phones.call("sub", "sendMessage", **phones.peer, message_id=7, message="68656c6c6f")
        assert phones.wait("sub", "onMessageSendSucceeded")["message_id"] == 7
        got = phones.wait("pub", "onMessageReceived")
        assert got["message"] == "68656c6c6f"
        back = {"session": phones.session["pub"], "peer_handle": got["peer_handle"]}
        phones.call("pub", "sendMessage", **back, message_id=8, message="6f6b")
        assert phones.wait("sub", "onMessageReceived")["message"] == "6f6b"
        phones.home.call(lambda: phones.home.live.air.radio_off("pub"))
        phones.call("sub", "sendMessage", **phones.peer, message_id=9, message="00")
        assert phones.wait("sub", "onMessageSendFailed")["message_id"] == 9


# Pairing.


def test_an_app_is_asked_and_accepts_under_its_alias() -> None:
    with Phones(pairing={}) as phones:
        phones.paired()
        assert phones.wait("sub", "onPairingSetupSucceeded")["alias"] == "publisher"
        assert phones.wait("pub", "onPairingSetupSucceeded")["alias"] == "subscriber"
        assert phones.call("sub", "getPairedDevices") == ["publisher"]
        assert phones.call("pub", "getPairedDevices") == ["subscriber"]


def test_an_app_that_rejects_ends_it_on_both_sides() -> None:
    with Phones(pairing={}) as phones:
        phones.call("sub", "initiatePairingRequest", **phones.bootstrapped(), alias="a", password="1")
        asked = phones.asked()
        phones.call("pub", "rejectPairingRequest", **asked)
        assert phones.wait("sub", "onPairingSetupFailed") == {"peer_handle": phones.peer["peer_handle"]}
        assert phones.wait("pub", "onPairingSetupFailed") == {"peer_handle": asked["peer_handle"]}
        refused = phones.result("pub", "acceptPairingRequest", **asked, alias="a", password="1")
        assert (refused["verdict"]["rule"], refused["platform"]["case"]) == ("request-id", "INVALID_PAIRING_ID")
        assert phones.call("pub", "getPairedDevices") == []


def test_different_passwords_fail_on_both_sides() -> None:
    with Phones(pairing={}) as phones:
        phones.call("sub", "initiatePairingRequest", **phones.bootstrapped(), alias="a", password="111111")
        phones.call("pub", "acceptPairingRequest", **phones.asked(), alias="b", password="222222")
        phones.wait("sub", "onPairingSetupFailed")
        phones.wait("pub", "onPairingSetupFailed")
        assert phones.call("sub", "getPairedDevices") == []


def test_without_a_password_pairing_is_opportunistic() -> None:
    with Phones(pairing={"bootstrapping_methods": OPPORTUNISTIC}) as phones:
        phones.call("sub", "initiatePairingRequest", **phones.bootstrapped(OPPORTUNISTIC), alias="a")
        phones.call("pub", "acceptPairingRequest", **phones.asked(), alias="b")
        assert phones.wait("sub", "onPairingSetupSucceeded")


def test_a_method_that_the_publisher_does_not_offer_fails() -> None:
    with Phones(pairing={}) as phones:
        phones.call("sub", "initiateBootstrappingRequest", **phones.peer, method=0x08)
        assert phones.wait("sub", "onBootstrappingFailed")["peer_handle"] == phones.peer["peer_handle"]
        refused = phones.result("sub", "initiateBootstrappingRequest", **phones.peer, method=3)
        assert refused["platform"]["case"] == "IllegalArgumentException"


def test_a_handle_that_nobody_gave_is_an_invalid_peer() -> None:
    with Phones(pairing={}) as phones:
        wrong = {**phones.peer, "peer_handle": 99}
        refused = phones.result("sub", "initiatePairingRequest", **wrong, alias="a")
        assert (refused["platform"]["case"], refused["platform"]["code"]) == ("INVALID_PEER_ID", 6)
        assert phones.wait("sub", "onPairingSetupFailed") == {"reason": 6}
        refused = phones.result("sub", "initiatePairingRequest", **phones.peer, alias="a", cipher_suite=1)
        assert refused["verdict"]["rule"] == "cipher-suite"


def test_a_recognised_device_is_verified_without_the_app() -> None:
    with Phones(pairing={}) as phones:
        phones.paired()
        phones.home["sub"].do("restart").result()
        able = {"pairing_cache_enabled": True, "bootstrapping_methods": PIN_KEYPAD}
        phones.call("sub", "subscribe", config={"service_name": SERVICE, "pairing_config": able})
        assert phones.wait("sub", "onPairingVerificationSucceed")["alias"] == "publisher"
        aliases = [each["arguments"]["paired_alias"] for each in phones.told("sub", "onServiceDiscovered")]
        assert aliases[-1] == "publisher"


def test_a_removed_device_is_no_longer_verified() -> None:
    with Phones(pairing={}) as phones:
        phones.paired()
        phones.call("pub", "removePairedDevice", alias="nobody")
        phones.call("pub", "removePairedDevice", alias="subscriber")
        assert phones.call("pub", "getPairedDevices") == []
        phones.home["sub"].do("restart").result()
        able = {"pairing_cache_enabled": True, "bootstrapping_methods": PIN_KEYPAD}
        phones.call("sub", "subscribe", config={"service_name": SERVICE, "pairing_config": able})
        phones.wait("sub", "onPairingVerificationFailed")
        phones.home.advance("5m")
        assert len(phones.told("sub", "onPairingVerificationFailed")) == 1  # nor asked again and again
        phones.call("sub", "resetPairedDevices")
        assert phones.call("sub", "getPairedDevices") == []


# Networks.


def _networks(phones: Phones, publisher: dict[str, Any] | None, subscriber: dict[str, Any] | None) -> None:
    phones.call("pub", "requestNetwork", session=phones.session["pub"], specifier=publisher)
    phones.call("sub", "requestNetwork", **phones.peer, specifier=subscriber)


@pytest.mark.parametrize(
    "specifier",
    [
        None,
        {"psk_passphrase": SHORTEST},
        {"pmk": "ab" * 32},
        {"data_path_security_config": {"cipher_suite": 1, "psk_passphrase": SHORTEST}},
        {"data_path_security_config": {"cipher_suite": 2, "pmk": "ab" * 32}},
    ],
)
def test_both_apps_get_a_network_when_their_specifiers_agree(specifier: dict[str, Any] | None) -> None:
    with Phones() as phones:
        _networks(phones, specifier, specifier)
        for phone in ("pub", "sub"):
            assert phones.wait(phone, "onAvailable") == {"network": 1}
            assert phones.wait(phone, "onCapabilitiesChanged")["peer_ipv6_addr"].startswith("fe80:")
        phones.call("sub", "unregisterNetworkCallback", network=1)
        assert phones.wait("pub", "onLost") == {"network": 1}


def test_paired_phones_need_no_other_key() -> None:
    with Phones(pairing={}) as phones:
        phones.paired()
        _networks(phones, None, None)
        phones.wait("sub", "onAvailable")
        assert [each["security"] for each in phones.home.events.all("DataPathOpened")] == ["paired", "paired"]


@pytest.mark.parametrize(
    ("publisher", "subscriber"),
    [({"psk_passphrase": SHORTEST}, {"psk_passphrase": "another one"}), ({"pmk": "ab" * 32}, {"pmk": "cd" * 32})],
)
def test_keys_that_differ_make_no_network(publisher: dict[str, Any], subscriber: dict[str, Any]) -> None:
    with Phones() as phones:
        _networks(phones, publisher, subscriber)
        assert phones.wait("sub", "onUnavailable")["network"] == 1
        assert phones.told("sub", "onAvailable") == []


def test_a_publisher_that_waits_for_no_network_refuses() -> None:
    with Phones() as phones:
        phones.call("sub", "requestNetwork", **phones.peer)
        assert phones.wait("sub", "onUnavailable") == {"network": 1, "reason": 2}


@pytest.mark.parametrize(
    ("specifier", "rule"),
    [
        ({"psk_passphrase": "short"}, "passphrase-length"),
        ({"psk_passphrase": SHORTEST, "pmk": "ab" * 32}, "one-key"),
        ({"port": 80, "psk_passphrase": SHORTEST}, "port-of-publisher"),
        ({"data_path_security_config": {"cipher_suite": 3}}, "cipher-suite"),
    ],
)
def test_a_specifier_that_cannot_be_built_throws(specifier: dict[str, Any], rule: str) -> None:
    with Phones() as phones:
        refused = phones.result("sub", "requestNetwork", **phones.peer, specifier=specifier)
        assert (refused["outcome"], refused["verdict"]["rule"]) == ("refused", rule)
        assert phones.told("sub", "onUnavailable") == []
        with pytest.raises(UsageError, match="specifier"):
            phones.result("sub", "requestNetwork", **phones.peer, specifier={"colour": "red"})


def test_a_suite_that_the_radio_has_not_makes_no_network() -> None:
    config = {"cipher_suite": 4, "pmk": "ab" * 32, "pmkid": "cd" * 16}
    with Phones() as phones:
        specifier = {"data_path_security_config": config}
        refused = phones.result("sub", "requestNetwork", **phones.peer, specifier=specifier)
        assert refused["platform"]["case"] == "NOT_SUPPORTED"
        assert phones.wait("sub", "onUnavailable") == {"reason": 16}
