"""From premaster secret to keys: master secret, key block, KEK, verify_data.

Source: RFC 5246, sections 6.3, 7.4.9 and 8.1; RFC 7627 (extended master secret); Thread specification, chapter 8 (KEK).
"""

import hashlib
from dataclasses import dataclass, field

from pairing.crypto.kdf import Hash, tls_prf
from pairing.dtls.messages import VERIFY_DATA_LENGTH

MASTER_SECRET_LENGTH = 48
KEY_LENGTH = 16
IV_LENGTH = 4
KEY_BLOCK_LENGTH = 2 * (KEY_LENGTH + IV_LENGTH)
MASTER_LABEL = "master secret"
EXTENDED_MASTER_LABEL = "extended master secret"
CLIENT_LABEL = "client finished"
SERVER_LABEL = "server finished"


@dataclass(frozen=True, slots=True)
class DtlsKeys:
    """The keys of one connection; both sides hold equal ones. Everything but the randoms is secret."""

    client_random: bytes
    server_random: bytes
    master_secret: bytes = field(repr=False)
    key_block: bytes = field(repr=False)

    @property
    def client_write_key(self) -> bytes:
        """Octets 0 to 15 of the key block."""
        return self.key_block[:16]

    @property
    def server_write_key(self) -> bytes:
        """Octets 16 to 31."""
        return self.key_block[16:32]

    @property
    def client_write_iv(self) -> bytes:
        """Octets 32 to 35."""
        return self.key_block[32:36]

    @property
    def server_write_iv(self) -> bytes:
        """Octets 36 to 39."""
        return self.key_block[36:]

    @property
    def kek(self) -> bytes:
        """The key with which a Joiner Router entrusts the joiner of this connection."""
        return hashlib.sha256(self.key_block).digest()[:16]

    @property
    def key_log_line(self) -> str:
        """The line of an NSS key log with which Wireshark decrypts this connection."""
        return f"CLIENT_RANDOM {self.client_random.hex()} {self.master_secret.hex()}"


def master_seed(client_random: bytes, server_random: bytes, session_hash: bytes | None) -> tuple[str, bytes]:
    """Label and seed of the master secret; with a session hash, those of the extended one."""
    if session_hash is not None:
        return EXTENDED_MASTER_LABEL, session_hash
    return MASTER_LABEL, client_random + server_random


def derive_keys(premaster: bytes, client_random: bytes, server_random: bytes, session_hash: bytes | None) -> DtlsKeys:
    """Master secret and key block."""
    label, seed = master_seed(client_random, server_random, session_hash)
    master = tls_prf(Hash.SHA256, premaster, label, seed, MASTER_SECRET_LENGTH)
    block = tls_prf(Hash.SHA256, master, "key expansion", server_random + client_random, KEY_BLOCK_LENGTH)
    return DtlsKeys(client_random, server_random, master, block)


def verify_data(keys: DtlsKeys, label: str, transcript_hash: bytes) -> bytes:
    """The twelve octets of a Finished message."""
    return tls_prf(Hash.SHA256, keys.master_secret, label, transcript_hash, VERIFY_DATA_LENGTH)
