"""What one side of a handshake keeps secret: its EC-JPAKE side, the transcript, the keys, and both Finished messages.

It decides nothing: it raises what is wrong with the peer's proofs, which the connection turns into alerts and events.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pairing.crypto.intermediates import Intermediates
from pairing.crypto.kdf import is_equal
from pairing.dtls.alerts import AlertDescription
from pairing.dtls.flights import Transcript
from pairing.dtls.key_schedule import CLIENT_LABEL, SERVER_LABEL, DtlsKeys, derive_keys, master_seed, verify_data
from pairing.dtls.mistakes import known_finished_mistake, known_record_mistake
from pairing.dtls.record import DtlsRecord
from pairing.ecjpake.exchange import EcJpake, EcJpakeRole
from pairing.engine import Entropy
from pairing.errors import AuthenticationError, LocalProtocolError

KeyAndIv = tuple[bytes, bytes]


class HandshakeSecrets:
    """One side of one handshake."""

    def __init__(self, role: EcJpakeRole, password: bytes, entropy: Entropy) -> None:
        self.role = role
        self.jpake = EcJpake(role, password, entropy)
        self.transcript = Transcript()
        self.client_random = self.server_random = b""
        self.is_extended = False
        self.keys: DtlsKeys | None = None
        self._values: dict[str, bytes] = {}
        self._mistake = ""

    @property
    def mistake(self) -> str:
        """The known mistake of the peer in a proof, its keys or its Finished, if one fits."""
        return self.jpake.mistake or self._mistake

    @property
    def intermediates(self) -> Intermediates:
        """Every value known so far, by name."""
        return Intermediates({**self.jpake.intermediates, **self._values})

    def derive(self) -> None:
        """Both sides' key pairs are in, and the transcript ends with ClientKeyExchange: the keys follow."""
        session_hash = self.transcript.digest
        premaster = self.jpake.premaster()
        extended = session_hash if self.is_extended else None
        self.keys = keys = derive_keys(premaster, self.client_random, self.server_random, extended)
        label, seed = master_seed(self.client_random, self.server_random, extended)
        self._values |= {
            "client_random": self.client_random,
            "server_random": self.server_random,
            "transcript_hash_ch_to_cke": session_hash,
            "master_label": label.encode("ascii"),
            "master_seed": seed,
            "master_secret": keys.master_secret,
            "key_block": keys.key_block,
            "kek": keys.kek,
        }

    @property
    def derived(self) -> DtlsKeys:
        """The keys; there have to be some."""
        if self.keys is None:  # the tables of states do not let it come to this
            raise LocalProtocolError("DTLS: no keys before both sides' key pairs")
        return self.keys

    @property
    def protection(self) -> tuple[KeyAndIv, KeyAndIv]:
        """Key and IV to write with, key and IV to read with."""
        keys = self.derived
        client = (keys.client_write_key, keys.client_write_iv)
        server = (keys.server_write_key, keys.server_write_iv)
        return (client, server) if self.role is EcJpakeRole.CLIENT else (server, client)

    def own_finished(self) -> bytes:
        """Our verify_data over the transcript so far."""
        return self._verify_data(self.role)

    def judge(self, record: DtlsRecord) -> None:
        """Look for the mistake by which the peer's first protected record does not decrypt."""
        values = self.intermediates
        mistake = known_record_mistake(
            record,
            self.derived,
            values["shared_point_x"],
            values["transcript_hash_ch_to_cke"],
            is_extended=self.is_extended,
            writer=self.role.other,
        )
        self._mistake = mistake or ""

    def check_finished(self, body: bytes) -> None:
        """Raise AuthenticationError unless the peer's Finished holds the right verify_data."""
        if is_equal(body, self._verify_data(self.role.other)):
            return
        messages, before = self.transcript.messages, self.transcript.before
        self._mistake = known_finished_mistake(body, self.derived, self.role.other, messages, before) or ""
        text = "DTLS Finished: verify_data covers other messages than we saw, or was made with other keys"
        raise AuthenticationError(f"{text}: {self._mistake}" if self._mistake else text, AlertDescription.DECRYPT_ERROR)

    def _verify_data(self, role: EcJpakeRole) -> bytes:
        label = CLIENT_LABEL if role is EcJpakeRole.CLIENT else SERVER_LABEL
        value = verify_data(self.derived, label, self.transcript.digest)
        self._values[f"{role.value}_verify_data"] = value
        return value


@contextmanager
def answered_with(alert: AlertDescription) -> Iterator[None]:
    """Give a proof that does not hold the alert that answers it."""
    try:
        yield
    except AuthenticationError as error:
        raise AuthenticationError(str(error), alert) from None
