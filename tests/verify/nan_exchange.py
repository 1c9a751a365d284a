"""Plays a recorded Wi-Fi Aware exchange with two of our devices, frame by frame, and compares each with the file."""

from collections.abc import Callable

from pairing.engine import SECOND, Event, Micros
from pairing.errors import PairingError
from pairing.ieee80211.elements import CipherSuite
from pairing.ieee80211.frames import ManagementFrame
from pairing.ieee80211.protection import decrypt
from pairing.nan.attributes import (
    Availability,
    BootstrappingMethods,
    NpbaStatus,
    NpbaType,
    PairingBootstrapping,
    ServiceControlType,
    ServiceDescriptor,
    SharedKeyDescriptor,
)
from pairing.nan.data_path import Path
from pairing.nan.data_path_events import DataPathRequested, DataPathStarted
from pairing.nan.data_path_terms import ndp_of, told_service_info
from pairing.nan.frames import NafSubtype, ServiceDiscoveryFrame, decode_nan_frame
from pairing.nan.pairing import Side
from pairing.nan.pairing_events import PairingRequested
from tests.verify.mismatch import Mismatch, compare
from tests.verify.nan_sides import (
    ONCE,
    ROLES,
    Document,
    PlayedSide,
    Recorded,
    SideOfFile,
    recorded_frames,
    service_info_of,
)

QUIET_PERIOD: Micros = 90 * SECOND
SETTLING: Micros = 1 * SECOND
_NDP_KINDS = {
    NafSubtype.DATA_PATH_REQUEST: "ndp_request",
    NafSubtype.DATA_PATH_RESPONSE: "ndp_response",
    NafSubtype.DATA_PATH_CONFIRM: "ndp_confirm",
    NafSubtype.DATA_PATH_KEY_INSTALLMENT: "ndp_key_install",
    NafSubtype.DATA_PATH_TERMINATION: "ndp_termination",
}
_RESPONSES = {NpbaStatus.ACCEPTED: "", NpbaStatus.REJECTED: "_rejected", NpbaStatus.COMEBACK: "_comeback"}


def kind_of(payload: bytes) -> str:
    """What a frame is, in the words of the file."""
    header = ManagementFrame.decode(payload)
    if header.body[:2] == b"\x07\x00":
        return f"auth{header.body[2]}"
    frame = decode_nan_frame(payload)
    if not isinstance(frame, ServiceDiscoveryFrame):
        return _NDP_KINDS[NafSubtype(frame.subtype)]
    descriptor, message = frame.find(ServiceDescriptor), frame.find(PairingBootstrapping)
    if descriptor is None or descriptor.type is not ServiceControlType.FOLLOW_UP:
        is_publish = descriptor is not None and descriptor.type is ServiceControlType.PUBLISH
        return "publish" if is_publish else "subscribe"
    if frame.find(SharedKeyDescriptor) is not None:
        return "nik_followup"
    if message is None:
        return "followup"
    word = "request" if message.type == NpbaType.REQUEST else "response"
    return f"bootstrap_{word}{_RESPONSES[NpbaStatus(message.status)]}"


class Exchange:
    """Two devices and the file between them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.flow: str = document["flow"]
        self.frames = recorded_frames(document)
        self.sides = {role: PlayedSide(SideOfFile(document, role, self.frames)) for role in ROLES}
        self.attempts: dict[str, Side] = {}
        self.paths: dict[str, Path] = {}
        self.events_at_end: dict[str, list[Event]] = {}

    def play(self) -> None:
        """Every frame of the file, then silence."""
        if self.frames[0].kind != "publish":
            self.sides["responder"].start()
            self.sides["initiator"].start()
        else:
            self.sides["initiator"].start()
            self.sides["responder"].start()
        for frame in self.frames:
            self._play_frame(frame)
        self._fall_silent()

    def _play_frame(self, frame: Recorded) -> None:
        compare(f"frames[{frame.index}].n", self.document["frames"][frame.index]["n"], frame.index + 1)
        sender, receiver = self.sides[frame.sender], self.sides[_other(frame.sender)]
        receiver.pass_time(frame.at)
        self._configure(sender, frame)
        if not sender.pending:
            self._with_pasn(sender, frame, lambda: self._make_send(sender, receiver, frame))
        if not sender.pending:
            raise Mismatch(f"frames[{frame.index}].hex", frame.payload.hex(), "no frame")
        sent = sender.pending.pop(0)
        self._compare(sender, frame, sent)
        answer = next((each for each in self.frames[frame.index + 1 :] if each.sender != frame.sender), None)
        self._configure(receiver, answer)
        if answer is not None and answer.kind == "bootstrap_response":
            self._authorise(receiver, sender)
        self._with_pasn(receiver, frame, lambda: self._deliver(sender, receiver, sent, frame.at))

    def _deliver(self, sender: PlayedSide, receiver: PlayedSide, sent: bytes, at: Micros) -> None:
        first = len(receiver.events)
        receiver.take(receiver.device.receive(sent, sent[10:16], at))
        if not sent[4] & 1:
            sender.take(sender.device.acknowledged(sent, True, at))
        peer = sender.file.key("own_nmi")
        self._note(receiver, peer)
        for event in list(receiver.events[first:]):
            self._decide(receiver, peer, event, at)
        self._note(receiver, peer)
        self._note(sender, receiver.file.key("own_nmi"))

    def _note(self, side: PlayedSide, peer: bytes) -> None:
        """Keep hold of attempts and data paths: the engine forgets those that failed."""
        attempt = side.device.attempt(peer)
        if attempt is not None:
            self.attempts[side.file.role] = attempt
        for event in side.events:
            if isinstance(event, (DataPathStarted, DataPathRequested)):
                path = side.device.data_path(event.data_path)
                if path is not None:
                    self.paths[side.file.role] = path

    # What users and timers do.

    def _make_send(self, sender: PlayedSide, receiver: PlayedSide, frame: Recorded) -> None:
        device, at, peer = sender.device, frame.at, receiver.file.key("own_nmi")
        file = sender.file
        match frame.kind:
            case "followup":
                nan = frame.nan
                assert isinstance(nan, ServiceDiscoveryFrame)
                of = nan.find(ServiceDescriptor)
                assert of is not None
                session = next(iter(device.sessions))
                _, info = service_info_of(nan)
                sender.take(device.follow_up(session, peer, of.requestor_instance_id, info, at))
            case "bootstrap_request":
                message = frame.nan.find(PairingBootstrapping)
                method = BootstrappingMethods(file.parameters.get("initiator_method_bitmap", 1))
                token = None if message is None else message.dialog_token
                sender.take(device.bootstrap(peer, method, at, dialog_token=token))
            case "auth1" if file.parameters["mode"] == "pmk":
                sender.take(device.verify(peer, at))
            case "auth1":
                password = file.secret("password") if file.parameters["mode"] == "sae" else None
                sender.take(device.pair(peer, at, password=password, suite=file.suite))
            case "ndp_request":
                self._open(sender, peer, frame)
            case "ndp_termination":
                for number in device.open_data_paths:
                    sender.take(device.close_data_path(number, at))
            case _:
                deadline = device.deadline
                sender.take(device.handle_timeout(at if deadline is None else max(at, deadline)))
        self._note(sender, peer)

    def _open(self, sender: PlayedSide, peer: bytes, frame: Recorded) -> None:
        ndp, file = ndp_of(frame.nan), sender.file  # type: ignore[arg-type]  # the kind says that it is a NAF
        if ndp is None:
            raise Mismatch(f"frames[{frame.index}].kind", frame.kind, "a frame without NDP")
        opened = sender.device.open_data_path(
            peer,
            frame.at,
            passphrase=file.secret("ndp_pass"),
            suite=file.data_path_suite,
            service_info=told_service_info(ndp),
            dialog_token=ndp.dialog_token,
            ndp_id=ndp.ndp_id,
        )
        sender.take(opened)

    def _decide(self, side: PlayedSide, peer: bytes, event: Event, at: Micros) -> None:
        device = side.device
        if isinstance(event, PairingRequested):
            if "pairing_rejected" in self.flow:
                side.take(device.reject_pairing(peer, at))
            else:
                password = side.file.secret("password") if event.mode == "password" else None
                side.take(device.accept_pairing(peer, at, password=password))
        elif isinstance(event, DataPathRequested):
            if "ndp_rejected" in self.flow:
                side.take(device.reject_data_path(event.data_path, at))
            else:
                side.take(device.accept_data_path(event.data_path, at, passphrase=side.file.secret("ndp_pass")))

    def _authorise(self, side: PlayedSide, peer: PlayedSide) -> None:
        """The user says yes between two returns of the peer."""
        nmi = peer.file.key("own_nmi")
        if nmi in side.device.waiting_for_user and "no_authorization" not in self.flow:
            side.take(side.device.accept_bootstrapping(nmi, 0))

    # Comparing.

    def _compare(self, sender: PlayedSide, frame: Recorded, sent: bytes) -> None:
        member = f"frames[{frame.index}]"
        if any(
            each.sealed is not None for each in self.frames
        ):  # protection was on, and told of each frame that had it
            is_sealed = ManagementFrame.decode(sent).is_protected
            recorded = "no such member" if frame.sealed is None else frame.sealed.hex()
            compare(f"{member}.protected_hex", recorded, sent.hex() if is_sealed else "no such member")
        compare(f"{member}.hex", frame.payload.hex(), self._plain(sender, sent).hex())
        compare(f"{member}.kind", frame.kind, kind_of(self._plain(sender, sent)))

    def _plain(self, sender: PlayedSide, sent: bytes) -> bytes:
        header = ManagementFrame.decode(sent)
        if not header.is_protected:
            return sent
        keys = sender.device.keys(header.receiver)
        if keys is None:
            raise Mismatch("keys.nm_tk", "a key for this frame", "none")
        cipher = CipherSuite.GCMP_256 if len(keys.nm_tk) == 32 else CipherSuite.CCMP_128
        try:
            return decrypt(cipher, keys.nm_tk, header)[0].encode()
        except PairingError as error:
            raise Mismatch("frames", "a frame that opens", str(error)) from error

    def _fall_silent(self) -> None:
        """Whoever gave up, and whoever is done, says nothing more."""
        end = self.frames[-1].at
        for role, side in self.sides.items():
            is_going_on = self.flow.endswith("no_authorization") or side.file.announcement_period not in (None, ONCE)
            if not is_going_on:
                side.pass_time(end + SETTLING)
            self.events_at_end[role] = list(side.events)
            if not is_going_on:
                side.pass_time(end + QUIET_PERIOD)
            if side.pending:
                raise Mismatch("frames", f"no frame of the {role} after the last", side.pending[0].hex())
            left = [*side.entropy.draws, *side.entropy.pasn]
            if left:
                raise Mismatch(f"{role}.random_draws", "each drawn", f"{len(left)} not drawn")

    # Parts.

    def _configure(self, side: PlayedSide, frame: Recorded | None) -> None:
        """A schedule that changes on the way has another sequence ID; everything else stays as it began."""
        schedule = () if frame is None or frame.is_auth else frame.nan.find_all(Availability)
        known = [each.sequence_id for each in side.device.device.availability]
        if schedule and [each.sequence_id for each in schedule] != known:
            side.device.configure(availability=schedule)

    def _with_pasn(self, side: PlayedSide, frame: Recorded, act: Callable[[], None]) -> None:
        side.entropy.is_pasn_at_work = frame.is_auth
        try:
            act()
        finally:
            side.entropy.is_pasn_at_work = False


def _other(role: str) -> str:
    return ROLES[1 - ROLES.index(role)]
