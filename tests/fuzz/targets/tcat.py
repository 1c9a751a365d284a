"""TCAT: adverts, certificates, and the plaintext that a commissioner sends to a device."""

from collections.abc import Iterable

from pairing.thread.tcat.adverts import TcatAdvert
from pairing.thread.tcat.certificates import ThreadCertificate
from pairing.thread.tcat.tlvs import TcatTlv, TcatType
from tests.fuzz.corpus import documents
from tests.fuzz.target import Target, decoder
from tests.support.tcat import DATASET, PEER, ask, certificate, connected

ALIVE = TcatTlv(TcatType.PAYLOAD, b"alive").encode().hex()


def adverts() -> Iterable[bytes]:
    """Recorded ones."""
    for document in documents("tcat/adverts"):
        yield from (bytes.fromhex(row["serviceDataAd"])[2:] for row in document["rows"])


def certificates() -> Iterable[bytes]:
    """The examples."""
    for document in documents("tcat/certificates"):
        yield from (bytes.fromhex(row["der"]) for row in document["certificates"].values())


def requests() -> Iterable[bytes]:
    """Every command once."""
    yield TcatTlv(TcatType.SET_ACTIVE_DATASET, DATASET.encode()).encode()
    yield from (TcatTlv(command, bytes(8)).encode() for command in TcatType)


def plaintext(data: bytes) -> bool:
    """Whatever comes is answered, waited for or refused, and the next connection works."""
    device = connected()
    answers = device.receive(data, PEER, 0)
    device.disconnected(0)
    device.connected(PEER, certificate(commissioner=True), 0)
    assert ask(device, TcatType.PING, b"alive") == ALIVE
    return bool(answers)


TARGETS = (
    decoder("tcat-advert", TcatAdvert.decode, adverts, encode=TcatAdvert.encode),
    decoder("tcat-certificate", ThreadCertificate.decode, certificates),
    Target("tcat-device", plaintext, requests),
)
