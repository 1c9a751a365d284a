"""Why Thread said no: credential stores of phones, datasets that a Leader refuses, petitions, DTLS handshakes.

The verdicts of credentials and datasets name their rule, what was expected and what came; a known mistake stands in
what came, as the rules of `pairing.thread` write it.
"""

import re
from collections.abc import Iterator

from devices.explain import causes
from devices.explain.causes import Reason
from devices.explain.finding import Finding, Outcome, explains
from devices.explain.story import Event, Story, octets_of, text_of, values_of
from pairing.ecjpake.password_mistakes import known_password_mistake, used_password
from pairing.ecjpake.points import CURVE
from pairing.engine import SECOND
from pairing.thread.mistakes import known_pskc_mistake, known_steering_mistake
from pairing.thread.pskc import MAX_NETWORK_NAME, MAX_PASSPHRASE, MIN_PASSPHRASE, derive_pskc
from pairing.thread.steering import EUI64_LENGTH

_CHOSEN = frozenset(
    {
        *("consent-denied", "consent-asked", "consent-unanswered", "other-owner", "frozen", "not-supported"),
        *("not-on-this-version", "preferred-cannot-be-deleted", "storage-full"),
    }
)
_BEHIND = ("PairingFailed", "BootstrappingFailed", "DataPathFailed")
"""What a platform's refusal may stand for."""
_LOOKS_LIKE = re.compile(r"(?:[,;] (?:the id given )?)((?:looks like|is) .+)$")


@explains("CredentialRefused", "PlatformRefused")
def explain_credential(story: Story, event: Event) -> Finding | None:
    """A store's verdict; refusals of a platform that have no rule explain nothing."""
    rule = text_of(event, "rule")
    if not rule:
        return None
    symptom = text_of(event, "symptom")
    before = next(story.before(event, *_BEHIND, actor=str(event["actor"])), None)
    if event["type"] == "PlatformRefused" and before is not None and event["at_us"] - before["at_us"] <= SECOND:
        outcome, because = Outcome.CONSEQUENCE, f"{before['type']}, see event {before['id']}"
    else:
        outcome, because = Outcome.CHOICE if rule in _CHOSEN else Outcome.MISTAKE, _mistake(event, rule)
    return Finding(
        event=event,
        failed=f"{text_of(event, 'platform')}, rule {rule}",
        expected=text_of(event, "expected"),
        came=text_of(event, "came"),
        outcome=outcome,
        because=because,
        hint="; ".join(filter(None, (text_of(event, "hint"), symptom and f"the app sees: {symptom}"))),
    )


def _mistake(event: Event, rule: str) -> str:
    """The known mistake in what came, else the rule with what came."""
    came = text_of(event, "came")
    found = _LOOKS_LIKE.search(came)
    words = rule.replace("-", " ")
    return f"{words}: what was given {found[1]}" if found else f"{words}: {came}".rstrip(": ")


@explains("DatasetSetRefused")
def explain_dataset(story: Story, event: Event) -> Finding:
    """The Leader's verdict on a dataset: its rule is the reason."""
    expected, came = text_of(event, "expected"), text_of(event, "came")
    return Finding(
        event=event,
        failed=f"{text_of(event, 'request') or 'MGMT_SET'}, rule {text_of(event, 'rule')}",
        expected=expected,
        came=came,
        outcome=Outcome.MISTAKE,
        because=f"{text_of(event, 'rule').replace('-', ' ')}: came {came}",
    )


@explains("PetitionRejected")
def explain_petition(story: Story, event: Event) -> Finding:
    """Who holds the network, or why else a Commissioner was turned away."""
    holder = text_of(event, "holder")
    because = f"{holder!r} is the active Commissioner" if holder else text_of(event, "reason")
    return Finding(
        event=event,
        failed=f"petition of {text_of(event, 'commissioner_id')!r}",
        expected="no active Commissioner, or one of the same id",
        came=because,
        outcome=Outcome.CHOICE,
        because=because,
    )


@explains("HandshakeFailed")
def explain_handshake(story: Story, event: Event) -> Finding:
    """A DTLS handshake: a proof that did not fit, a wrong password, silence."""
    peer, error, values = story.peer_of(event), text_of(event, "error"), values_of(event)
    outcome, because = causes.first_of(
        causes.of_lie(story, event, (str(event["actor"]), peer)),
        causes.mistake(text_of(event, "mistake")),
        _of_keys(story, event, peer),
        causes.of_other_side(story, event, peer, "HandshakeFailed"),
        causes.of_loss(story, event, peer),
    )
    is_wrong = "decrypt" in error or "bad_record_mac" in error
    return Finding(
        event=event,
        failed="DTLS handshake",
        expected="the same keys on both sides",
        came=error,
        outcome=outcome,
        because=because,
        hint="another password is what looks like this: every proof holds, and the keys differ"
        if outcome is Outcome.UNKNOWN and is_wrong
        else "",
        values=values,
    )


def _of_keys(story: Story, event: Event, peer: str) -> Reason | None:
    """Where both sides are in the transcript: whether they took the same password, and what one made of it."""
    own = values_of(event)
    for each in story.near(event, "HandshakeFailed", actor=peer, within_us=causes.WHILE):
        if text_of(each, "mistake"):
            return None
        theirs = values_of(each)
        mine, other = used_password(own), used_password(theirs)
        if mine is not None and other is not None and mine != other:
            both = (str(event["actor"]), mine), (peer, other)
            client, server = both if "x2" in own else both[::-1]
            of_pskc = _of_pskc(story, client, server)
            return Outcome.MISTAKE, of_pskc or _of_passwords(client, server)
    return None


def _of_pskc(story: Story, client: tuple[str, int], server: tuple[str, int]) -> str:
    """Where the user has told the passphrase: what one side made of it, the other's PSKc being right."""
    passphrase = story.password.encode()
    if not MIN_PASSPHRASE <= len(passphrase) <= MAX_PASSPHRASE:
        return ""
    for name, ext_pan_id in _networks(story):
        right = int.from_bytes(derive_pskc(passphrase, name, ext_pan_id), "big") % CURVE.q
        for (wrong, used), (_, other) in ((client, server), (server, client)):
            octets = used.to_bytes(32, "big")[-16:]
            mistake = known_pskc_mistake(octets, passphrase, name, ext_pan_id) if other == right else None
            if mistake is not None:
                return f"PSKc of {wrong}: {mistake}"
    return ""


def _networks(story: Story) -> Iterator[tuple[bytes, bytes]]:
    """Name and extended PAN ID of the networks that events tell of."""
    found: dict[tuple[bytes, bytes], None] = {}
    for event in story.events:
        ext_pan_id = octets_of(event.get("ext_pan_id")) or b""
        name = text_of(event, "network_name").encode()
        if name and len(name) <= MAX_NETWORK_NAME and len(ext_pan_id) == 8:
            found[name, ext_pan_id] = None
    yield from found


@explains("JoiningFailed")
def explain_joining(story: Story, event: Event) -> Finding:
    """A joiner that did not get in: steering data that rule it out, its DTLS handshake, silence."""
    error, peer = text_of(event, "error"), story.peer_of(event)
    eui64 = octets_of(event.get("joiner")) or b""
    is_ruled_out = "rule it out" in error or "rules it out" in error
    outcome, because = causes.first_of(
        causes.of_lie(story, event, (str(event["actor"]), peer)),
        _of_steering(story, event, eui64) if is_ruled_out and len(eui64) == EUI64_LENGTH else None,
        _of_handshake(story, event),
        causes.of_loss(story, event, peer),
    )
    return Finding(
        event=event,
        failed=f"joining of {eui64.hex()}",
        expected="steering data that admit it" if is_ruled_out else "a network that lets it in",
        came=error,
        outcome=outcome,
        because=because,
        hint="nobody has enabled this joiner, or under another EUI-64"
        if outcome is Outcome.UNKNOWN and is_ruled_out
        else "",
    )


def _of_steering(story: Story, event: Event, eui64: bytes) -> Reason | None:
    """The last steering data that anybody set before the event."""
    for each in story.before(event, "CommissionerDatasetChanged", "CommissionerDatasetReceived"):
        steering = octets_of(each.get("steering_data"))
        if steering is None:
            continue
        if not any(steering):
            return Outcome.CHOICE, "the steering data are all zeros: nobody may join"
        return causes.mistake(known_steering_mistake(steering, eui64))
    return None


def _of_handshake(story: Story, event: Event) -> Reason | None:
    """The joiner's own DTLS handshake, which has a finding of its own."""
    for each in story.before(event, "HandshakeFailed", actor=str(event["actor"])):
        if event["at_us"] - each["at_us"] <= causes.WHILE:
            return Outcome.CONSEQUENCE, f"its DTLS handshake failed, see event {each['id']}"
    return None


def _of_passwords(client: tuple[str, int], server: tuple[str, int]) -> str:
    """What the one made of the other's password; the server's is right where both may be."""
    text = "the two have other passwords: s is not the same number on both sides"
    for (wrong, used), (right_one, right) in ((client, server), (server, client)):
        mistake = known_password_mistake(right, used)
        if mistake is not None:
            return f"{text}; {wrong} took the password of {right_one} with one mistake: {mistake}"
    return text
