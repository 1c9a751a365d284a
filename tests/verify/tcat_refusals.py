"""Offers of TLS to our TCAT device, made by Python's ssl: what comes of them."""

import ssl
from pathlib import Path

from devices.stores.tcat_identities import TcatIdentities, identities_in
from devices.transports.tcat_tls import TlsChannel, TlsRefusedError, server_context
from pairing.errors import DecodeError
from pairing.thread.tcat.authorization import authorization_of
from tests.verify.mismatch import Mismatch

_REFUSED, _ANSWERED = "refused", "TLV answered"
_LONGEST = 20


class Refusals:
    """A device with certificates of its own, in a scratch folder."""

    def __init__(self, scratch: Path) -> None:
        self._own = identities_in(scratch / "own", make=True)
        self._other = identities_in(scratch / "other", make=True)
        own = self._own
        self._server = server_context(own.certificate("device"), own.key("device"), own.authority)

    def offer(self, client: str) -> dict[str, str | None]:
        """The alert and the outcome of an offer by its name in the vectors."""
        channel, peer = TlsChannel(self._server, server=True), _Client(self._context(client))
        established = False
        for _ in range(_LONGEST):
            sent = peer.step()
            if not sent:
                break
            try:
                established = channel.receive(sent).established or established
            except TlsRefusedError:
                return {"deviceAlert": channel.take()[-2:].hex(), "outcome": _REFUSED}
            peer.feed(channel.take())
        if not established:
            raise Mismatch("refusals", "an end of the handshake", "none")
        try:
            authorization_of(channel.peer(), commissioner=True)
        except DecodeError:
            channel.close()
            return {"deviceAlert": f"enc{len(channel.take()) - 5}", "outcome": _REFUSED}
        return {"deviceAlert": None, "outcome": _ANSWERED}

    def _context(self, client: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        version = ssl.TLSVersion.TLSv1_3 if client == "offers TLS 1.3 only" else ssl.TLSVersion.TLSv1_2
        context.minimum_version = context.maximum_version = version
        identities, role = self._own, "commissioner"
        if client == "client certificate of an unknown CA":
            identities = self._other
        elif client == "device certificate used as client certificate":
            role = "device"
        if client in _SUITES:
            context.set_ciphers(_SUITES[client])
        elif client not in _PLAIN:
            raise Mismatch("refusals.client", sorted((*_SUITES, *_PLAIN)), client)
        if client != "no client certificate":
            _load(context, identities, role)
        return context


_SUITES = {
    "TLS 1.2 with AES256-GCM-SHA384 only": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS 1.2 with AES128-CCM8 only": "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
    "TLS 1.2 with AES128-GCM-SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
}
_PLAIN = (
    "offers TLS 1.3 only",
    "no client certificate",
    "client certificate of an unknown CA",
    "device certificate used as client certificate",
)


def _load(context: ssl.SSLContext, identities: TcatIdentities, role: str) -> None:
    context.load_cert_chain(identities.certificate(role), identities.key(role))


class _Client:
    """A TLS client over memory that offers what it is told to."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=False)

    def step(self) -> bytes:
        """Go on with the handshake; what is to be sent."""
        try:
            self._tls.do_handshake()
        except ssl.SSLError:
            pass  # it waits, or has been refused
        return self._outgoing.read()

    def feed(self, data: bytes) -> None:
        """What the device sent."""
        self._incoming.write(data)
