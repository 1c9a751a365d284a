"""Proofs of knowing a code: HMAC-SHA256 over a challenge and the device's public key.

The key is the PSKd or install code as ASCII, or the sixteen bytes of the PSKc. Bound to the device certificate, a proof
for one device is worth nothing to another. Source: Thread 1.4 specification, chapter 13.
"""

from pairing.crypto.kdf import Hash, hmac_digest, is_equal

CHALLENGE_LENGTH = 8
PROOF_LENGTH = 32


def tcat_proof(key: bytes, challenge: bytes, device_spki: bytes) -> bytes:
    """The proof; `device_spki` is the DER SubjectPublicKeyInfo of the device certificate."""
    return hmac_digest(Hash.SHA256, key, challenge + device_spki)


def proof_holds(proof: bytes, key: bytes, challenge: bytes, device_spki: bytes) -> bool:
    """Whether a presented proof is the right one; one of another length is not."""
    return is_equal(proof, tcat_proof(key, challenge, device_spki))
