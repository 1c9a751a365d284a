"""Vectors of TCAT's TLS: a recorded connection is read and verified; our device refuses what the recorded one did."""

import tempfile
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pairing.crypto.kdf import Hash, digest, tls_prf
from pairing.thread.tcat.certificates import ThreadCertificate
from pairing.thread.tcat.tlvs import TcatTlv, TcatType
from tests.verify.mismatch import Mismatch, compare, compare_members
from tests.verify.tcat_refusals import Refusals
from tests.verify.tcat_words import beside, certificate, certificate_rows

_MESSAGES = {
    1: "ClientHello",
    2: "ServerHello",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
}
_CCS, _ALERT, _HANDSHAKE, _DATA = 20, 21, 22, 23
_VERSIONS = (b"\x03\x01", b"\x03\x03")
_SUITES = {0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256"}
_SIDES = ("commissioner", "device")
_ECDSA_SHA256 = bytes.fromhex("0403")


def recognises(document: object) -> bool:
    """Whether this is a recorded TLS connection."""
    return isinstance(document, dict) and {"keyLog", "handshake", "records", "refusals"} <= document.keys()


def check_beside(document: dict[str, Any], folder: Path | None) -> None:
    """Read the whole connection; raises Mismatch."""
    capture = _Capture(document)
    compare_members("handshake", document["handshake"], capture.handshake)
    compare_members("negotiated", document["negotiated"], capture.negotiated())
    rows = certificate_rows(folder)
    for side in _SIDES:
        name = document[f"{side}Certificate"]
        compare(f"{side}Certificate", certificate(rows, name).der.hex(), capture.certificate(side).der.hex())
    capture.check_signatures()
    capture.check_finished()
    exchange = beside(folder, f"{document['exchange']}.json")
    _check_data(capture, exchange)
    with tempfile.TemporaryDirectory() as scratch:
        refusals = Refusals(Path(scratch))
        for index, row in enumerate(document["refusals"]):
            compare_members(f"refusals[{index}]", row, {"client": row["client"], **refusals.offer(row["client"])})


def _check_data(capture: "_Capture", exchange: dict[str, Any]) -> None:
    requests = [each["request"] for each in exchange["exchanges"]]
    replies = [each["reply"] for each in exchange["exchanges"] if each["reply"] is not None]
    farewell = TcatTlv(TcatType.DISCONNECT).encode().hex()
    compare("records.commissioner", "".join([*requests, farewell]), capture.data("commissioner").hex())
    compare("records.device", "".join(replies), capture.data("device").hex())


class _Capture:
    """The connection, put together from its datagrams."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.handshake: list[dict[str, Any]] = []
        self._messages: list[tuple[str, int, bytes]] = []
        self._sealed: list[tuple[str, int, bytes]] = []
        self._is_sealed = dict.fromkeys(_SIDES, False)
        buffers = dict.fromkeys(_SIDES, b"")
        for index, record in enumerate(document["records"]):
            side = record["from"]
            if side not in buffers or not record["datagram"]:
                raise Mismatch(f"records[{index}]", "a datagram of one of the two sides", record)
            buffers[side] += bytes.fromhex(record["datagram"])
            buffers[side] = self._take(side, buffers[side])
        compare("records", dict.fromkeys(_SIDES, b""), buffers)
        words = [line.split() for line in document["keyLog"]]
        if len(words) != 1 or words[0][0] != "CLIENT_RANDOM":
            raise Mismatch("keyLog", "one CLIENT_RANDOM", words)
        compare("keyLog", self._random("commissioner").hex(), words[0][1])
        self._master = bytes.fromhex(words[0][2])

    def _take(self, side: str, buffer: bytes) -> bytes:
        while len(buffer) >= 5 and len(buffer) >= 5 + int.from_bytes(buffer[3:5], "big"):
            size = 5 + int.from_bytes(buffer[3:5], "big")
            if buffer[1:3] not in _VERSIONS:
                raise Mismatch("records.version", [each.hex() for each in _VERSIONS], buffer[1:3].hex())
            self._record(side, buffer[0], buffer[5:size])
            buffer = buffer[size:]
        return buffer

    def _record(self, side: str, kind: int, body: bytes) -> None:
        if self._is_sealed[side]:
            self._sealed.append((side, kind, body))
            if not any(each["kind"] == "app" for each in self.handshake):
                word = "hs-enc" if kind == _HANDSHAKE else "app"
                self.handshake.append({"from": side, "kind": word, "message": len(body), "bytes": len(body)})
        elif kind == _CCS:
            self._is_sealed[side] = True
            self.handshake.append({"from": side, "kind": "ccs", "message": "", "bytes": len(body)})
        elif kind == _HANDSHAKE:
            self._clear(side, body)
        else:
            raise Mismatch("records.type", _HANDSHAKE, kind)

    def _clear(self, side: str, body: bytes) -> None:
        while body:
            size = 4 + int.from_bytes(body[1:4], "big")
            kind, content = body[0], body[4:size]
            self._messages.append((side, kind, body[:size]))
            words = {"kind": "hs", "message": _MESSAGES[kind], "bytes": len(content), "hex": content.hex()}
            self.handshake.append({"from": side, **words})
            body = body[size:]

    # What it says

    def _body(self, side: str, kind: int) -> bytes:
        return next(message[4:] for sender, each, message in self._messages if (sender, each) == (side, kind))

    def _random(self, side: str) -> bytes:
        return self._body(side, 1 if side == "commissioner" else 2)[2:34]

    def negotiated(self) -> dict[str, str]:
        """Version and suite of ServerHello."""
        hello = self._body("device", 2)
        at = 35 + hello[34]
        suite = int.from_bytes(hello[at : at + 2], "big")
        version = "TLS 1.2" if hello[:2] == b"\x03\x03" else hello[:2].hex()
        return {"version": version, "cipher": f"{suite:#06x} {_SUITES.get(suite, 'unknown')}"}

    def certificate(self, side: str) -> ThreadCertificate:
        """The leaf of a side."""
        body = self._body(side, 11)
        return ThreadCertificate.decode(body[6 : 6 + int.from_bytes(body[3:6], "big")])

    def check_signatures(self) -> None:
        """Of ServerKeyExchange and CertificateVerify."""
        exchange = self._body("device", 12)
        size = 4 + exchange[3]
        randoms = self._random("commissioner") + self._random("device")
        self._verify("ServerKeyExchange", "device", exchange[size:], randoms + exchange[:size])
        at = next(index for index, (_, kind, _) in enumerate(self._messages) if kind == 15)
        signed = b"".join(message for _, _, message in self._messages[:at])
        self._verify("CertificateVerify", "commissioner", self._body("commissioner", 15), signed)

    def _verify(self, message: str, side: str, signature: bytes, signed: bytes) -> None:
        key = load_der_public_key(self.certificate(side).spki)
        compare(f"{message}.algorithm", _ECDSA_SHA256.hex(), signature[:2].hex())
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise Mismatch(f"{message}.key", "a key on P-256", type(key).__name__)
        try:
            key.verify(signature[4:], signed, ec.ECDSA(SHA256()))
        except InvalidSignature:
            raise Mismatch(f"{message}.signature", "one that verifies", signature.hex()) from None

    def check_finished(self) -> None:
        """Both Finished values: the client's over the clear messages, the server's over that one too."""
        transcript = b"".join(message for _, _, message in self._messages)
        for side, label in (("commissioner", "client finished"), ("device", "server finished")):
            value = tls_prf(Hash.SHA256, self._master, label, digest(Hash.SHA256, transcript), 12)
            finished = bytes.fromhex("1400000c") + value
            compare(f"{side}.Finished", finished.hex(), self._opened(side, _HANDSHAKE).hex())
            transcript += finished

    def data(self, side: str) -> bytes:
        """All application data of a side; alerts decrypt as well."""
        self._opened(side, _ALERT)
        return self._opened(side, _DATA)

    def _opened(self, side: str, wanted: int) -> bytes:
        seed = self._random("device") + self._random("commissioner")
        block = tls_prf(Hash.SHA256, self._master, "key expansion", seed, 40)
        number = _SIDES.index(side)
        key, salt = block[16 * number : 16 * number + 16], block[32 + 4 * number : 36 + 4 * number]
        opened, sequence = b"", 0
        for sender, kind, body in self._sealed:
            if sender != side:
                continue
            length = len(body) - 24
            extra = sequence.to_bytes(8, "big") + bytes((kind, 3, 3)) + length.to_bytes(2, "big")
            try:
                plain = AESGCM(key).decrypt(salt + body[:8], body[8:], extra)
            except InvalidTag:
                raise Mismatch(f"records.{side}[{sequence}]", "a record that decrypts", body.hex()) from None
            opened += plain if kind == wanted else b""
            sequence += 1
        return opened
