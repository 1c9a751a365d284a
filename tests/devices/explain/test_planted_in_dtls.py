"""Transcripts of DTLS handshakes with one planted mistake of the client each: the explanation names it.

The wrong clients are our engine with one step replaced; the arithmetic of the step is done here.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from devices.event_log import StampedEvent
from devices.explain.finding import Finding, Outcome, explain_all
from devices.explain.story import Story
from devices.transcripts.reader import read_transcript
from devices.transcripts.recorder import MemoryTranscript, Recorder
from pairing.crypto.kdf import Hash, tls_prf
from pairing.dtls.key_schedule import CLIENT_LABEL, SERVER_LABEL, verify_data
from pairing.dtls.record import DtlsRecord, additional_data
from pairing.dtls.record_layer import RecordLayer
from pairing.dtls.secrets import HandshakeSecrets
from pairing.dtls.settings import DtlsSettings
from pairing.ecjpake.exchange import EcJpake, EcJpakeRole
from pairing.ecjpake.points import CURVE, GENERATOR, multiple, total
from pairing.ecjpake.proof import KeyKp, challenge, hash_input
from tests.support.dtls_pair import AGENT, PASSWORD, PHONE, DtlsPair, with_extended_master_secret
from tests.support.recorded_entropy import seeded

Plant = Callable[[DtlsPair], None]


def transcript_of(pair: DtlsPair, *, secrets: bool = True) -> bytes:
    """What a home would have recorded of it."""
    sink = MemoryTranscript()
    recorder = Recorder(sink, now=lambda: 0, seed=0, secrets=secrets)
    for who, datagram in pair.sent:
        source, to = (PHONE, AGENT) if who == "client" else (AGENT, PHONE)
        recorder.sent("lan", "phone" if who == "client" else "router", source, to, datagram)
    events = [*(("phone", each) for each in pair.client_events), *(("router", each) for each in pair.server_events)]
    for number, (actor, event) in enumerate(events, start=1):
        recorder.happened(StampedEvent(number, 0, actor, "lan", event))
    return sink.getvalue()


def findings_of(pair: DtlsPair, *, secrets: bool = True) -> list[Finding]:
    story = Story(read_transcript(BytesIO(transcript_of(pair, secrets=secrets))))
    return [each for each in explain_all(story) if each.is_failure]


# One step replaced


class WrongJpake(EcJpake):
    """Changes its key pairs, by number: 0 and 1 of round one, 2 of round two."""

    def __init__(self, change: Callable[["WrongJpake", int, KeyKp], KeyKp]) -> None:
        super().__init__(EcJpakeRole.CLIENT, PASSWORD, seeded("phone"))
        self.change = change

    def round_one(self) -> tuple[KeyKp, KeyKp]:
        first, second = super().round_one()
        return self.change(self, 0, first), self.change(self, 1, second)

    def round_two(self) -> KeyKp:
        return self.change(self, 2, super().round_two())

    def number(self, name: str) -> int:
        return int.from_bytes(self.intermediates[name], "big")


def proof(change: Callable[["WrongJpake", int, KeyKp], KeyKp]) -> Plant:
    def plant(pair: DtlsPair) -> None:
        pair.client._secrets.jpake = WrongJpake(change)

    return plant


def hashed(made: Callable[[bytes, KeyKp], bytes], read: Callable[[bytes], int] = challenge) -> Plant:
    """The first proof hashes something else, or reads the hash otherwise."""

    def change(side: WrongJpake, which: int, pair: KeyKp) -> KeyKp:
        if which:
            return pair
        h = read(made(GENERATOR.encode(), pair))
        response = (side.number("zkp_nonce_X1") - side.number("x1") * h) % CURVE.q
        return replace(pair, response=CURVE.encode_number(response))

    return proof(change)


def first(change: Callable[[KeyKp], KeyKp]) -> Plant:
    return proof(lambda side, which, pair: pair if which else change(pair))


def other_generator(side: WrongJpake, which: int, pair: KeyKp) -> KeyKp:
    """Round two in the generator of the server."""
    if which != 2:
        return pair
    own, peer = side._own, side._peer
    assert own is not None
    assert peer is not None
    base = total(own[0], own[1], peer[0])
    assert base is not None
    public, commitment = (multiple(side.number(name), base) for name in ("x2s", "zkp_nonce_Xc"))
    assert public is not None
    assert commitment is not None
    h = challenge(hash_input(base.encode(), commitment.encode(), public.encode(), "client"))
    response = (side.number("zkp_nonce_Xc") - side.number("x2s") * h) % CURVE.q
    return KeyKp(public.encode(), commitment.encode(), CURVE.encode_number(response))


def turned(point: bytes) -> bytes:
    return b"\x04" + point[32:0:-1] + point[:32:-1]


def koblitz() -> bytes:
    """The generator of secp256k1."""
    x = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798
    y = 0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


class WrongSecrets(HandshakeSecrets):
    """Comes to other keys, or to another Finished."""

    derivation: Callable[["WrongSecrets"], tuple[bytes, bytes]] | None = None
    finished: Callable[["WrongSecrets"], bytes] | None = None

    def derive(self) -> None:
        super().derive()
        if self.derivation is not None:
            master, block = type(self).derivation(self)  # type: ignore[misc]
            self.keys = replace(self.derived, master_secret=master, key_block=block)

    def own_finished(self) -> bytes:
        right = super().own_finished()
        return right if self.finished is None else type(self).finished(self)  # type: ignore[misc]


def keys(made: Callable[[WrongSecrets], tuple[bytes, bytes]]) -> Plant:
    kind = type("WrongKeys", (WrongSecrets,), {"derivation": made})

    def plant(pair: DtlsPair) -> None:
        pair.client._secrets = kind(EcJpakeRole.CLIENT, PASSWORD, seeded("phone"))

    return plant


def finished(made: Callable[[WrongSecrets], bytes]) -> Plant:
    kind = type("WrongFinished", (WrongSecrets,), {"finished": made})

    def plant(pair: DtlsPair) -> None:
        pair.client._secrets = kind(EcJpakeRole.CLIENT, PASSWORD, seeded("phone"))

    return plant


def over(made: Callable[[WrongSecrets], Sequence[bytes]]) -> Plant:
    """A Finished over other messages."""
    return finished(lambda s: verify_data(s.derived, CLIENT_LABEL, hashlib.sha256(b"".join(made(s))).digest()))


def derived(premaster: bytes, label: str, seed: bytes, expansion: bytes) -> tuple[bytes, bytes]:
    master = tls_prf(Hash.SHA256, premaster, label, seed, 48)
    return master, tls_prf(Hash.SHA256, master, "key expansion", expansion, 40)


def premaster_from(made: Callable[[bytes], bytes]) -> Plant:
    return keys(
        lambda s: derived(
            made(s.intermediates["shared_point_x"]),
            "master secret",
            s.client_random + s.server_random,
            s.server_random + s.client_random,
        )
    )


def premaster(s: WrongSecrets) -> bytes:
    return s.intermediates["premaster"]


class WrongRecords(RecordLayer):
    """Protects records otherwise."""

    def __init__(self, made: Callable[[bytes, bytes, DtlsRecord], bytes]) -> None:
        super().__init__()
        self._made = made
        self._key = self._iv = b""

    def install(self, write: tuple[bytes, bytes], read: tuple[bytes, bytes]) -> None:
        super().install(write, read)
        self._key, self._iv = write

    def seal(self, content_type: int, epoch: int, plaintext: bytes) -> DtlsRecord:  # type: ignore[override]
        record = super().seal(content_type, epoch, plaintext)  # type: ignore[arg-type]
        if not epoch:
            return record
        return replace(record, fragment=self._made(self._key, self._iv, replace(record, fragment=plaintext)))


def records(made: Callable[[bytes, bytes, DtlsRecord], bytes]) -> Plant:
    def plant(pair: DtlsPair) -> None:
        pair.client._records = WrongRecords(made)

    return plant


def sealed(key: bytes, nonce: bytes, record: DtlsRecord, *, tag: int = 8, length: int | None = None) -> bytes:
    associated = additional_data(record, len(record.fragment) if length is None else length)
    return record.epoch_and_sequence + AESCCM(key, tag).encrypt(nonce, record.fragment, associated)


def lengths(size: int, values: Sequence[bytes]) -> bytes:
    return b"".join(len(each).to_bytes(size, "big") + each for each in values)


MISTAKES: dict[str, Plant] = {
    # proofs
    "identity 'server' in the hash": hashed(lambda g, p: hash_input(g, p.commitment, p.public, "server")),
    "identity 'Client' in the hash": hashed(lambda g, p: hash_input(g, p.commitment, p.public, "Client")),
    "no identity in the hash": hashed(lambda g, p: lengths(4, (g, p.commitment, p.public))),
    "two-byte lengths in the hash": hashed(lambda g, p: lengths(2, (g, p.commitment, p.public, b"client"))),
    "X before V in the hash": hashed(lambda g, p: hash_input(g, p.public, p.commitment, "client")),
    "points without their 04": hashed(lambda g, p: lengths(4, (g[1:], p.commitment[1:], p.public[1:], b"client"))),
    "the hash as a number in little endian": hashed(
        lambda g, p: hash_input(g, p.commitment, p.public, "client"),
        lambda octets: int.from_bytes(hashlib.sha256(octets).digest(), "little") % CURVE.q,
    ),
    "r is v + x·h": hashed(
        lambda g, p: hash_input(g, p.commitment, p.public, "client"), lambda octets: CURVE.q - challenge(octets)
    ),
    "r in little endian": first(lambda pair: replace(pair, response=pair.response[::-1])),
    "r filled up with zeros behind it": first(lambda pair: replace(pair, response=pair.response + b"\0")),
    "coordinates in little endian": first(lambda pair: replace(pair, public=turned(pair.public))),
    "a point of secp256k1": first(lambda pair: replace(pair, public=koblitz())),
    "the generator of round two is X1 + X2 + X3": proof(other_generator),
    # keys
    "the x coordinate as premaster secret": premaster_from(lambda x: x),
    "x coordinate in little endian": premaster_from(lambda x: hashlib.sha256(x[::-1]).digest()),
    "server random first in the master secret": keys(
        lambda s: derived(premaster(s), "master secret", *[s.server_random + s.client_random] * 2)
    ),
    "client random first in the key expansion": keys(
        lambda s: derived(premaster(s), "master secret", *[s.client_random + s.server_random] * 2)
    ),
    "extended master secret, which was not agreed on": keys(
        lambda s: derived(
            premaster(s),
            "extended master secret",
            s.intermediates["transcript_hash_ch_to_cke"],
            s.server_random + s.client_random,
        )
    ),
    # records
    "a tag of 16 octets": records(lambda key, iv, record: sealed(key, iv + record.epoch_and_sequence, record, tag=16)),
    "length of the record in the additional data": records(
        lambda key, iv, record: sealed(key, iv + record.epoch_and_sequence, record, length=len(record.fragment) + 16)
    ),
    # Finished
    "label 'server finished'": finished(
        lambda s: verify_data(s.derived, SERVER_LABEL, hashlib.sha256(b"".join(s.transcript.messages)).digest())
    ),
    "the first ClientHello and HelloVerifyRequest": over(lambda s: [*s.transcript.before, *s.transcript.messages]),
    "headers of TLS": over(lambda s: [each[:4] + each[12:] for each in s.transcript.messages]),
    "messages without headers": over(lambda s: [each[12:] for each in s.transcript.messages]),
    "the last message missing": over(lambda s: s.transcript.messages[:-1]),
    "verify_data of 32 octets": finished(
        lambda s: tls_prf(Hash.SHA256, s.derived.master_secret, CLIENT_LABEL, s.transcript.digest, 32)
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("secrets", [True, False], ids=["secrets", "no-secrets"])
def test_planted_mistake_is_named_and_everything_explained(mistake: str, secrets: bool) -> None:
    pair = DtlsPair()
    MISTAKES[mistake](pair)
    pair.connect()
    findings = findings_of(pair, secrets=secrets)
    named = [each for each in findings if each.outcome is Outcome.MISTAKE]
    assert [(each.event["actor"], mistake in each.because) for each in named] == [("router", True)]
    assert all(each.is_explained for each in findings)
    assert len(findings) == 2


PASSWORDS: dict[str, bytes] = {
    "its SHA-256": hashlib.sha256(PASSWORD).digest(),
    "its octets in little endian": PASSWORD[::-1],
    "its octets as text of hexadecimal digits": PASSWORD.hex().encode(),
    "small letters for capitals": PASSWORD.lower(),
    "a line end after it": PASSWORD + b"\n",
    "another character 6": b"J01NMF",
    "characters 2 and 3 exchanged": b"J10NME",
    "character 1 missing": PASSWORD[1:],
}


@pytest.mark.parametrize("mistake", PASSWORDS)
def test_wrong_password_is_told_by_both_sides_together(mistake: str) -> None:
    findings = findings_of(DtlsPair(passwords=(PASSWORDS[mistake], PASSWORD)).connect())
    assert len(findings) == 2
    for each in findings:
        assert each.outcome is Outcome.MISTAKE
        assert f"phone took the password of router with one mistake: {mistake}" in each.because


def test_code_without_its_check_digit_or_as_a_number_is_named() -> None:
    for wrong, mistake in ((b"12345678", "check digit"), ((123456788).to_bytes(4, "big"), "digits as a number")):
        findings = findings_of(DtlsPair(passwords=(wrong, b"123456788")).connect())
        assert all(mistake in each.because for each in findings)


def test_wrong_password_of_which_one_side_is_known_has_a_hint_and_no_reason() -> None:
    pair = DtlsPair(passwords=(b"Z", PASSWORD)).connect()
    pair.client_events.clear()
    (finding,) = findings_of(pair)
    assert finding.outcome is Outcome.UNKNOWN
    assert "another password" in finding.hint


def test_plain_master_secret_for_the_extended_one_is_named() -> None:
    settings = with_extended_master_secret(DtlsSettings())
    pair = DtlsPair(settings, settings)
    keys(
        lambda s: derived(
            premaster(s), "master secret", s.client_random + s.server_random, s.server_random + s.client_random
        )
    )(pair)
    pair.connect()
    assert any("plain master secret, expected the extended one" in each.because for each in findings_of(pair))


def test_right_client_is_right_under_every_replaced_step() -> None:
    """The steps that the mistakes replace are replaced by nothing else."""
    steps = [
        proof(lambda side, which, pair: pair),
        over(lambda s: s.transcript.messages),
        premaster_from(lambda x: hashlib.sha256(x).digest()),
        records(lambda key, iv, record: sealed(key, iv + record.epoch_and_sequence, record)),
    ]
    for plant in steps:
        pair = DtlsPair()
        plant(pair)
        pair.connect()
        assert pair.completed("server").keys.key_block == pair.completed("client").keys.key_block
