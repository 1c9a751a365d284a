"""The owner of a Wi-Fi Aware accessory: answers what peers ask, by policy or when a verb says so, and types codes."""

from typing import TYPE_CHECKING

from devices.accessories.wifi_aware_codes import KINDS, SHOWN, Typist, read_off
from devices.accessories.wifi_aware_peers import octets
from devices.accessories.wifi_aware_policy import AcceptPolicy, Answer
from devices.accessories.wifi_aware_requests import Matter, Reply, Request, Requests
from devices.errors import ActionRefusedError
from devices.events import CodeRequired, ConsentRequested
from pairing.engine import Event
from pairing.errors import LocalProtocolError
from pairing.ieee80211.frames import StatusCode
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.data_path_events import DataPathFailed, DataPathOpened, DataPathRequested
from pairing.nan.events import BootstrappingCompleted, BootstrappingFailed, BootstrappingRequested
from pairing.nan.identifiers import address_text
from pairing.nan.pairing_events import PairingCompleted, PairingFailed, PairingRequested
from pairing.pasn.events import PasnMode

if TYPE_CHECKING:
    from devices.accessories.wifi_aware_base import WifiAwareAccessory

_NONE = BootstrappingMethods.NONE


class Owner:
    """One person with one accessory."""

    def __init__(self, accessory: "WifiAwareAccessory") -> None:
        settings = accessory.settings
        self.requests = Requests()
        self.typist = Typist(settings.pairing.code)
        self._accessory = accessory
        self._policies = {
            Matter.BOOTSTRAPPING: AcceptPolicy(settings.pairing.bootstrapping),
            Matter.PAIRING: AcceptPolicy(settings.pairing.accept),
            Matter.DATA_PATH: AcceptPolicy(settings.data_path.accept),
        }

    def stop(self) -> None:
        """Power is off: nobody asks any more."""
        self.requests.clear()

    def turn_away(self) -> None:
        """Pair setup is closed: whoever still waits to be paired is refused."""
        for request in self.requests.open:
            if request.matter in (Matter.BOOTSTRAPPING, Matter.PAIRING):
                self._settle(request, Reply(False))

    # What the device reports.

    def on_event(self, event: Event) -> None:
        """Take note, and answer what is asked."""
        if event.peer is None:
            return
        peer = octets(event.peer)
        match event:
            case BootstrappingRequested():
                self._consider(self.requests.add(Matter.BOOTSTRAPPING, peer))
            case BootstrappingCompleted():
                self.requests.drop(peer, Matter.BOOTSTRAPPING)
                if not self._accessory.is_courting(peer):
                    self.requests.expect(peer)
            case BootstrappingFailed():
                self.requests.drop(peer, Matter.BOOTSTRAPPING)
                self.requests.unexpect(peer)
            case PairingRequested():
                self._on_pairing_requested(event, peer)
            case PairingCompleted() | PairingFailed():
                self.requests.drop(peer, Matter.PAIRING)
                self.requests.drop(peer, Matter.CODE)
                self.requests.unexpect(peer)
            case DataPathRequested():
                self._consider(self.requests.add(Matter.DATA_PATH, peer, data_path=event.data_path))
            case DataPathOpened() | DataPathFailed():
                self.requests.drop_data_path(event.data_path)

    def _on_pairing_requested(self, event: PairingRequested, peer: bytes) -> None:
        method = BootstrappingMethods[event.method.upper()] if event.method else _NONE
        early = self.requests.unexpect(peer)
        if event.mode != PasnMode.PASSWORD.value:
            self._consider(self.requests.add(Matter.PAIRING, peer), early)
            return
        shown = self._accessory.pair_setup.codes.for_method(method)
        is_typed = shown is None and (not method or not method & SHOWN)
        kind = KINDS.get(method, "pin") if is_typed else ""
        self._consider(self.requests.add(Matter.PAIRING, peer, code_kind=kind, password=shown), early)

    # Answers.

    def _consider(self, request: Request, early: Reply | None = None) -> None:
        if early is not None:
            self._settle(request, early)
            return
        decision = self._policies[request.matter].decide()
        clock = self._accessory.site.clock
        match decision.answer:
            case Answer.ACCEPT | Answer.REJECT if decision.after:
                reply = Reply(decision.answer is Answer.ACCEPT)
                clock.call_later(decision.after, lambda: self._settle(request, reply))
            case Answer.ACCEPT | Answer.REJECT:
                self._settle(request, Reply(decision.answer is Answer.ACCEPT))
            case Answer.ASK:
                call, service = request.matter.value, self._accessory.settings.service
                peer = address_text(request.peer)
                self._accessory.emit(ConsentRequested(peer=peer, request=request.number, call=call, app=service))

    def accept(self, number: int | None, peer: bytes | None, code: str | None) -> int | None:
        """Say yes to a request, by default the oldest; its number, None if it is yet to come."""
        return self._reply(Reply(True, code), number, peer)

    def reject(self, number: int | None, peer: bytes | None) -> int | None:
        """Say no."""
        return self._reply(Reply(False), number, peer)

    def _reply(self, reply: Reply, number: int | None, peer: bytes | None) -> int | None:
        request = self.requests.choose(number, peer)
        if request is not None:
            self._settle(request, reply, is_told=True)
            return request.number
        if number is None and self.requests.foretell(reply, peer):
            return None
        raise ActionRefusedError(f"{self._accessory.id}: nobody asks for anything")

    def _settle(self, request: Request, reply: Reply, *, is_told: bool = False) -> None:
        if not self.requests.is_open(request):
            return  # the peer has given up, or another answer was faster
        try:
            if self._carry_out(request, reply):
                self.requests.close(request)
        except LocalProtocolError as problem:
            self.requests.close(request)
            if is_told:
                raise ActionRefusedError(f"{self._accessory.id}: {problem}") from None

    def _carry_out(self, request: Request, reply: Reply) -> bool:
        """Tell the device; False if the owner has to type a code first."""
        accessory, peer = self._accessory, request.peer
        match request.matter, reply.is_accepted:
            case Matter.BOOTSTRAPPING, True:
                accessory.perform(lambda device, now: device.accept_bootstrapping(peer, now))
            case Matter.BOOTSTRAPPING, False:
                accessory.perform(lambda device, now: device.reject_bootstrapping(peer, now))
            case Matter.PAIRING, True:
                return self._accept_pairing(request, reply.code)
            case Matter.PAIRING, False:
                status = StatusCode.UNSPECIFIED_FAILURE
                accessory.perform(lambda device, now: device.reject_pairing(peer, now, status))
            case Matter.DATA_PATH, True:
                passphrase = accessory.data_path_passphrase
                number = request.data_path
                accessory.perform(lambda device, now: device.accept_data_path(number, now, passphrase=passphrase))
            case Matter.DATA_PATH, False:
                accessory.perform(lambda device, now: device.reject_data_path(request.data_path, now))
            case Matter.CODE, True:
                if reply.code is None:
                    return False
                accessory.go_on(peer, reply.code)
            case Matter.CODE, False:
                accessory.give_up(peer)
        return True

    def _accept_pairing(self, request: Request, code: str | None) -> bool:
        peer, password = request.peer, code or request.password
        if password is None and request.code_kind:
            password = self.typed(peer, request.code_kind, request.number)
            if password is None:
                return False
        self._accessory.perform(lambda device, now: device.accept_pairing(peer, now, password=password))
        return True

    def type_for(self, peer: bytes, kind: str) -> str | None:
        """What the owner types for a pairing of ours; None if `accept` brings the code later."""
        request = self.requests.add(Matter.CODE, peer, code_kind=kind)
        typed = self.typed(peer, kind, request.number)
        if typed is not None:
            self.requests.close(request)
        return typed

    def typed(self, peer: bytes, kind: str, number: int) -> str | None:
        """What the owner types for a code that the peer shows; None if that is left to a verb."""
        typed = self.typist.type(read_off(self._accessory.site, peer, kind))
        required = CodeRequired(
            peer=address_text(peer),
            kind=kind,
            request=number,
            service=self._accessory.settings.service,
            is_waiting=typed is None,
        )
        self._accessory.emit(required)
        return typed
