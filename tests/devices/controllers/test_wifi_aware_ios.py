"""Two iPhones in Apple's shape on virtual time: view, picker, consent, listeners for some, what a restart leaves."""

from typing import Any

import pytest

from devices.controllers.wifi_aware_view import Wanted
from devices.home import Home

SERVICE = "_chat._tcp"


class IPhones:
    """`host` shows a pairing view, `guest` picks."""

    def __init__(self, **host: Any) -> None:
        phones = [{"id": "host", "name": "Host", **host}, {"id": "guest", "name": "Guest", "patience": "30s"}]
        self.home = Home({"phone": phones}, seed=4, virtual=True)

    def __enter__(self) -> "IPhones":
        self.home.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.home.stop()

    def ask(self, phone: str, call: str, *arguments: Any, **named: Any) -> Any:
        """The document of an asynchronous call."""
        made = getattr(self.home.live.phone(phone).ios, call)(*arguments, **named)
        return self.home.submit(made).result()

    def read(self, phone: str, call: str, *arguments: Any) -> Any:
        """The answer of a plain one."""
        return self.home.call(lambda: getattr(self.home.live.phone(phone).ios, call)(*arguments))

    def view(self) -> None:
        """Open the pairing view."""
        assert self.ask("host", "open_pairing_view", SERVICE)["outcome"] == "done"

    def pick(self, **named: Any) -> dict[str, Any]:
        """Pick the host and wait for the end."""
        found: dict[str, Any] = self.ask("guest", "pick", Wanted(name="Host"), SERVICE, **named)
        return found

    def paired(self) -> str:
        """Pair; the guest's id for the host."""
        self.view()
        picked = self.pick()
        assert picked["outcome"] == "done", picked
        self.home.events.wait("PairingCompleted", actor="host")
        self.read("host", "close_pairing_view")
        self.home.advance("2s")
        return str(picked["value"]["device"]["id"])


def test_the_code_on_the_screen_is_what_the_guest_types() -> None:
    with IPhones() as phones:
        phones.view()
        code = phones.home["host"].code
        assert phones.read("host", "pairing_view") == {"open": True, "service": SERVICE, "code": code}
        wrong = phones.pick(code=code[::-1] + "0")
        assert wrong["verdict"]["symptom"] == "AuthenticationError (wrong-password)"
        assert wrong["platform"]["case"] is None
        assert phones.pick(code=code)["outcome"] == "done"
        phones.home.events.wait("PairingCompleted", actor="host")
        info = phones.read("host", "snapshot")["devices"].popitem()[1]["pairing_info"]
        assert info == {"pairing_name": "Guest", "vendor_name": "Apple Inc.", "model_name": "iPhone"}
        assert phones.home["host"].shows == {"code": code, "pin": code}
        phones.read("host", "close_pairing_view")
        assert phones.home["host"].shows == {}


@pytest.mark.parametrize(
    ("consent", "outcome", "error"),
    [("allow", "done", ""), ("deny", "refused", "PeerRejectedError"), ("never", "refused", "ExchangeTimeoutError")],
)
def test_the_hosts_user_decides(consent: str, outcome: str, error: str) -> None:
    with IPhones(consent=consent) as phones:
        phones.view()
        picked = phones.pick()
        assert picked["outcome"] == outcome
        if error:
            assert picked["verdict"]["symptom"] == error
            assert phones.read("host", "snapshot")["devices"] == {}


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_the_hosts_user_is_asked(verb: str) -> None:
    with IPhones(consent="ask") as phones:
        phones.view()
        phones.pick(wait=False)
        asked = phones.home.events.wait("ConsentRequested", actor="host")
        assert asked["call"] == "pairing"
        phones.home["host"].do(verb, request=asked["request"]).result()
        ending = "PairingCompleted" if verb == "accept" else "BootstrappingFailed"
        assert phones.home.events.wait(ending, actor="guest", within="30s")


def test_a_host_without_a_view_is_not_in_the_picker() -> None:
    with IPhones() as phones:
        host = phones.paired()
        assert phones.ask("guest", "look_in_picker", SERVICE, 2_000_000)["value"] == []
        assert phones.ask("host", "listen", SERVICE, "all-paired")["outcome"] == "done"
        assert phones.ask("guest", "look_in_picker", SERVICE, 2_000_000)["value"] == []
        phones.ask("guest", "browse", SERVICE, "all-paired")
        phones.home.advance("2s")
        (endpoint,) = phones.read("guest", "all_running", "browser")[0]["endpoints"]
        assert endpoint["device"]["id"] == host


@pytest.mark.parametrize("is_listening", [True, False])
def test_a_connection_needs_a_listener(is_listening: bool) -> None:
    with IPhones() as phones:
        host = phones.paired()
        phones.view()  # published, but for pairing alone
        if is_listening:
            phones.ask("host", "listen", SERVICE, "all-paired")
        connected = phones.ask("guest", "connect", host)
        assert connected["outcome"] == ("done" if is_listening else "refused")
        if not is_listening:
            assert connected["platform"]["case"] == "connectionFailed"


def test_a_listener_for_others_refuses_who_is_none_of_them() -> None:
    with IPhones() as phones:
        host = phones.paired()
        unknown = phones.ask("host", "listen", SERVICE, ["1"])
        assert (unknown["platform"]["case"], unknown["verdict"]["came"]) == ("deviceInvalid", "1")
        nobody = phones.ask("host", "listen", SERVICE, [])
        assert nobody["platform"]["case"] == "noPairedDevices"
        (guest,) = phones.read("host", "snapshot")["devices"]
        assert phones.ask("host", "listen", SERVICE, [guest])["outcome"] == "done"
        assert phones.ask("guest", "connect", host)["outcome"] == "done"
        again = phones.ask("host", "listen", SERVICE, "all-paired")
        assert again["platform"]["case"] == "serviceAlreadyPublishing"


def test_what_ran_has_failed_after_a_restart_and_devices_are_still_paired() -> None:
    with IPhones() as phones:
        host = phones.paired()
        listener = phones.ask("host", "listen", SERVICE, "all-paired")["value"]
        phones.home["host"].do("restart").result()
        assert phones.read("host", "all_running", "listener")[0]["state"] == "failed"
        phones.read("host", "cancel", "listener", listener["id"])
        assert len(phones.read("host", "snapshot")["devices"]) == 1
        phones.ask("host", "listen", SERVICE, "all-paired")
        phones.home.advance("2s")
        assert phones.ask("guest", "connect", host)["outcome"] == "done"


def test_there_are_only_so_many_services() -> None:
    with IPhones() as phones:
        phones.paired()
        cases = [phones.ask("guest", "browse", f"_s{number}._tcp", "all-paired") for number in range(9)]
        assert [each["outcome"] for each in cases] == ["done"] * 8 + ["refused"]
        assert cases[-1]["platform"]["case"] == "noRadioResources"
