"""Why a pairing attempt failed: the MICs and Confirms of PASN, refused frames, identities, silence.

What the engine has named itself comes first; then the octets of the frame are looked at, and the intermediate values
of both sides where the transcript holds them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from devices.explain import causes, ignored, other_side
from devices.explain.causes import Reason
from devices.explain.finding import Finding, Outcome, explains
from devices.explain.story import Event, Story, Telling, Values, number_of, text_of, values_of
from pairing.crypto.curves import CURVES
from pairing.crypto.kdf import hmac_digest
from pairing.errors import DecodeError
from pairing.ieee80211.elements import Akm
from pairing.ieee80211.frames import HEADER_LENGTH, AuthenticationAlgorithm, ManagementFrame, Subtype
from pairing.nan.mistakes import known_seed_mistake
from pairing.nan.pairing_credentials import NAN_SSID
from pairing.pasn.form_mistakes import known_form_mistake
from pairing.pasn.key_schedule import SUITES
from pairing.pasn.messages import PasnFrame
from pairing.pasn.mistakes import MicFacts, known_mistake
from pairing.sae.hash_to_element import derive_password_token
from pairing.sae.messages import SaeConfirm, split_bodies

CHOICES = {
    "declined": "the own side said no",
    "cancelled": "the own side gave up",
    "expired": "the own side did not decide in time",
    "locked": "too many wrong passwords before",
    "lie": "the own side was told to spoil the exchange",
}
_STEPS = ("pwd_seed", "pwd_value_1", "u1", "pwd_value_2", "u2", "p1", "p2", "pt", "val_hash", "val", "pwe")
"""Values of SAE that both sides have alike, in order."""
_KEYS = ("pmk", "dh_shared_secret", "ptk")
_POLICIES = frozenset({"method", "pairing setup", "bootstrapping", "attempts", "common suite, group and AKM"})


@explains("PairingFailed", "PasnFailed")
def explain(story: Story, event: Event) -> Finding:
    """The reason for the end of an attempt."""
    case = _Case.of(story, event)
    outcome, because = _reason(case)
    mic, failed = case.mic, case.failed
    return Finding(
        event=event,
        failed=failed,
        expected=_expected(case, mic),
        came=_came(case, mic),
        outcome=outcome,
        because=because,
        hint=_hint(case, outcome),
        frame=case.frame,
        values=case.shown,
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """One failed attempt, with what the transcript has of it."""

    story: Story
    event: Event
    peer: str
    number: int
    """The PASN frame that ended it; 0 if it was none."""
    frame: Telling | None
    body: PasnFrame | None
    pasn: Values
    sae: Values

    @classmethod
    def of(cls, story: Story, event: Event) -> "_Case":
        peer, number = story.peer_of(event), number_of(event, "frame")
        frame = None
        if number and text_of(event, "cause") != "abandoned":
            actor = str(event["actor"])
            frame = story.last_heard(actor, peer, event["at_us"], lambda payload: _is_pasn(payload, number))
        body = None if frame is None else _body(frame.payload)
        values = values_of(event, part="pasn"), values_of(event, part="sae")
        return cls(story, event, peer, number, frame, body, *values)

    @property
    def cause(self) -> str:
        return text_of(self.event, "cause")

    @property
    def is_proof(self) -> bool:
        """Whether a MIC or Confirm did not fit."""
        told = text_of(self.event, "error") if self.event["type"] == "PasnFailed" else ""
        is_named = self.cause in ("wrong-password", "wrong-key") or text_of(self.event, "rule") == "proof"
        return is_named or "MIC" in told or "Confirm does not fit" in told

    @property
    def is_told(self) -> bool:
        """Whether the other side ended it, in words or by its silence."""
        refused = self.event["type"] == "PasnFailed" and "refused with status" in text_of(self.event, "error")
        is_asking = self.cause == "unknown-peer" and bool(self.event.get("is_initiator"))
        return refused or is_asking or self.cause in _TOLD

    @property
    def mic(self) -> str:
        """The name of the MIC that was compared, if one was."""
        name = f"mic{self.number}"
        return name if self.is_proof and name in self.pasn else ""

    @property
    def failed(self) -> str:
        """What did not go as it should."""
        if self.is_proof:
            what = (
                "SAE Confirm" if "Confirm" in f"{text_of(self.event, 'came')}{text_of(self.event, 'error')}" else "MIC"
            )
            return f"{what} in PASN frame {self.number}"
        rule = text_of(self.event, "rule") or "pairing"
        return f"{rule}, PASN frame {self.number}" if self.number and rule != f"frame {self.number}" else f"PASN {rule}"

    @property
    def shown(self) -> Mapping[str, bytes]:
        """The values behind the proof that failed, by the names of the vectors, in the order in which they came."""
        if not self.is_proof:
            return {}
        if self.mic:
            return {
                name: self.pasn[name] for name in (*_PASN_VALUES, f"{self.mic}_input", self.mic) if name in self.pasn
            }
        return {f"sae.{name}": self.sae[name] for name in (*_STEPS, *_SAE_VALUES) if name in self.sae}


_PASN_VALUES = ("ecdh_private", "dh_shared_secret", "pmk", "ptk", "kck", "tk", "kdk")
_SAE_VALUES = (
    *("rand", "mask", "own_scalar", "own_element", "peer_scalar", "peer_element"),
    *("k", "keyseed", "kck", "pmk", "pmkid"),
)


def _reason(case: _Case) -> Reason:
    """The reasons in the order in which they are worth telling."""
    story, event = case.story, case.event
    both = (str(event["actor"]), case.peer)
    return causes.first_of(
        causes.of_frame(case.frame),
        causes.of_lie(story, event, both),
        causes.mistake(text_of(event, "mistake")),
        causes.mistake(_known_by_values(case)),
        causes.mistake(_known_by_form(case)),
        _of_choice(case),
        _of_both_sides(case),
        _of_forgetting(case),
        causes.of_other_side(story, event, case.peer, "PairingFailed", "PasnFailed") if case.is_told else None,
        _of_ignored(case) if case.cause in _SILENT else None,
        causes.of_loss(story, event, case.peer) if case.cause in _SILENT else None,
        other_side.of_pairing(story, event, case.peer, is_password_right=_is_password_right(case)),
    )


_TOLD = frozenset({"rejected", "abandoned", "timed-out", "identity"})
_SILENT = frozenset({"abandoned", "timed-out", "identity", ""})


def _of_choice(case: _Case) -> Reason | None:
    if case.cause in CHOICES:
        return Outcome.CHOICE, CHOICES[case.cause]
    rule = text_of(case.event, "rule")
    if case.cause == "not-agreed" and rule in _POLICIES:
        return Outcome.CHOICE, f"{rule}: expected {text_of(case.event, 'expected')}, came {text_of(case.event, 'came')}"
    return None


def _of_ignored(case: _Case) -> Reason | None:
    """A frame of the exchange that one of the two ignored for a known mistake."""
    for actor in (str(case.event["actor"]), case.peer):
        for each in case.story.before(case.event, "FrameIgnored", actor=actor):
            if case.event["at_us"] - each["at_us"] > causes.WHILE:
                break
            found = ignored.explain(case.story, each)
            if found is not None and found.outcome is Outcome.MISTAKE:
                return Outcome.CONSEQUENCE, f"{actor} ignored a frame, see event {each['id']}: {found.because}"
    return None


def _of_forgetting(case: _Case) -> Reason | None:
    """A pairing that cannot be verified since one of the two has removed it."""
    if case.cause != "unknown-peer":
        return None
    for each in case.story.before(case.event, "PeerRemoved"):
        if each["actor"] in (case.event["actor"], case.peer):
            return Outcome.CONSEQUENCE, f"{each['actor']} has removed the pairing, see event {each['id']}"
    return None


# Values


def _known_by_values(case: _Case) -> str | None:
    """The mistake that the recorded values tell, for a proof that the engine did not explain."""
    if not case.is_proof or case.body is None:
        return None
    try:
        return _known_mic(case, case.body)
    except DecodeError:
        return None


def _known_mic(case: _Case, body: PasnFrame) -> str | None:
    values, frame = case.pasn, case.frame
    rsne = body.rsne if body.transaction == 2 else None
    first = _frame_1(case)
    chosen = rsne or (None if first is None else first.rsne)
    if frame is None or chosen is None or not {"pmk", "dh_shared_secret"} <= values.keys():
        return None
    suite = next((each for each in SUITES.values() if each.cipher in chosen.pairwise), None)
    akm = next((each for each in Akm if each in chosen.akms), None)
    if suite is None or akm is None:
        return None
    sender, receiver = frame.payload[10:16], frame.payload[4:10]
    initiator, responder = (receiver, sender) if body.transaction == 2 else (sender, receiver)
    body_1 = b"" if first is None else first.encode()
    facts = MicFacts(suite, akm, initiator, responder, values["pmk"], values["dh_shared_secret"], body, body_1)
    return known_mistake(facts)


def _frame_1(case: _Case) -> PasnFrame | None:
    story, at_us = case.story, case.event["at_us"]
    actor = str(case.event["actor"])
    told = (
        next((each for each in story.sent(actor, at_us) if _is_pasn(each.payload, 1)), None)
        if case.number == 2
        else story.last_heard(actor, case.peer, at_us, lambda payload: _is_pasn(payload, 1))
    )
    return None if told is None else _body(told.payload)


def _of_both_sides(case: _Case) -> Reason | None:
    """Where both sides are in the transcript: the first value that they should have alike and do not."""
    if not case.is_proof and case.cause != "abandoned":
        return None
    theirs = _values_of_other_side(case)
    if theirs is None:
        return _of_password(case, case.sae)
    their_pasn, their_sae = theirs
    for name in _STEPS:
        if name in case.sae and name in their_sae and case.sae[name] != their_sae[name]:
            told = _of_password(case, case.sae) or _of_password(case, their_sae, case.peer)
            other = Outcome.MISTAKE, f"the two have other passwords, or another SSID: sae.{name} differs"
            return told or (other if name == "pwd_seed" else (Outcome.MISTAKE, f"the two differ from sae.{name} on"))
    for name in _KEYS:
        if name in case.pasn and name in their_pasn and case.pasn[name] != their_pasn[name]:
            reason = (
                "the two remember other keys of the earlier pairing" if case.cause == "wrong-key" else "keys differ"
            )
            return Outcome.MISTAKE, f"{reason}: {name} is not the same on both sides"
    return None


def _values_of_other_side(case: _Case) -> tuple[Values, Values] | None:
    near = case.story.near(case.event, "PairingFailed", "PasnFailed", actor=case.peer, within_us=causes.WHILE)
    for each in near:
        pasn, sae = values_of(each, part="pasn"), values_of(each, part="sae")
        if pasn or sae:
            return pasn, sae
    return None


def _is_password_right(case: _Case) -> bool:
    """Whether the own side had the password that the user gives."""
    return bool(case.sae.get("pwd_seed") and case.story.password) and _of_password(case, case.sae) is None


def _of_password(case: _Case, sae: Values, whose: str = "") -> Reason | None:
    """A seed that does not come from the password that the user knows: what else was hashed, or another password."""
    seed, password = sae.get("pwd_seed"), case.story.password
    if seed is None or not password:
        return None
    group = next((number for number, curve in CURVES.items() if curve.hash.size == len(seed)), 19)
    if derive_password_token(group, NAN_SSID, password.encode()).steps["pwd_seed"] == seed:
        return None
    known = known_seed_mistake(seed, password)
    actor = whose or str(case.event["actor"])
    return Outcome.MISTAKE, f"{known}, at {actor}" if known else f"{actor} has another password than the given one"


# Form


def _known_by_form(case: _Case) -> str | None:
    """A mistake that the frame itself shows, in frames that were refused for their form."""
    if case.frame is None or (case.is_proof and case.cause != "not-agreed"):
        return None
    return known_form_mistake(case.frame.payload[HEADER_LENGTH:])


def _is_pasn(payload: bytes, number: int) -> bool:
    try:
        frame = ManagementFrame.decode(payload)
    except DecodeError:
        return False
    head = frame.body[:4]
    is_ours = head in (
        AuthenticationAlgorithm.PASN.to_bytes(2, "little") + number.to_bytes(2, "little"),
        AuthenticationAlgorithm.PASN.to_bytes(2, "big") + number.to_bytes(2, "little"),
        AuthenticationAlgorithm.PASN.to_bytes(2, "little") + number.to_bytes(2, "big"),
    )
    return frame.subtype == Subtype.AUTHENTICATION and is_ours


def _body(payload: bytes) -> PasnFrame | None:
    try:
        return PasnFrame.decode(payload[HEADER_LENGTH:], HEADER_LENGTH)
    except DecodeError:
        return None


# What is told


def _expected(case: _Case, mic: str) -> str:
    if mic:
        return case.pasn[mic].hex()
    confirm = _right_confirm(case)
    return confirm.hex() if confirm is not None else text_of(case.event, "expected")


def _came(case: _Case, mic: str) -> str:
    if mic and case.body is not None and case.body.mic is not None:
        return case.body.mic.hex()
    confirm = _received_confirm(case) if case.is_proof else None
    if confirm is not None and not mic:
        return confirm.confirm.hex()
    return text_of(case.event, "came") or text_of(case.event, "error")


def _received_confirm(case: _Case) -> SaeConfirm | None:
    if case.body is None or case.body.wrapped is None:
        return None
    try:
        wrapped = case.body.wrapped
        return SaeConfirm.decode(split_bodies(wrapped)[1] if case.body.transaction == 2 else wrapped)
    except DecodeError:
        return None


def _right_confirm(case: _Case) -> bytes | None:
    """The Confirm that the recorded values give."""
    needed = ("kck", "own_scalar", "own_element", "peer_scalar", "peer_element")
    if not case.is_proof or case.mic or not set(needed) <= case.sae.keys():
        return None
    confirm = _received_confirm(case)
    curve = next((each for each in CURVES.values() if each.size == len(case.sae["own_scalar"])), None)
    if confirm is None or curve is None:
        return None
    sae = case.sae
    covered = sae["peer_scalar"] + sae["peer_element"] + sae["own_scalar"] + sae["own_element"]
    return hmac_digest(curve.hash, sae["kck"], confirm.send_confirm.to_bytes(2, "little") + covered)


def _hint(case: _Case, outcome: Outcome) -> str:
    if outcome is not Outcome.UNKNOWN or not case.is_proof:
        return ""
    if case.cause == "wrong-password":
        return (
            "another password, or a mistake before PT, such as the SSID: the peer's secrets alone tell them apart. "
            "Record both sides with --secrets, and give the right code with --password"
        )
    return "no known mistake gives these octets from these keys: the peer has another key"
