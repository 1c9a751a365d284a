"""The keys of DTLS and TLS connections out of a transcript, as lines of the key log that Wireshark reads.

Only a transcript recorded with its secrets has them. Source: draft-ietf-tls-keylogfile (CLIENT_RANDOM).
"""

from collections.abc import Mapping

from devices.transcripts.reader import Happened


def key_log_line(happened: Happened) -> str | None:
    """The line of a handshake that completed, if its keys are told."""
    if happened.event["type"] == "TcatSessionOpened":
        return _own_line(happened.event.get("key_log"))
    keys = happened.event.get("keys")
    if happened.event["type"] != "HandshakeCompleted" or not isinstance(keys, Mapping):
        return None
    random, master = keys.get("client_random"), keys.get("master_secret")
    if not _is_hex(random, 32) or not _is_hex(master, 48):
        return None
    return f"CLIENT_RANDOM {random} {master}"


def _own_line(text: object) -> str | None:
    """A line as it came from a library, if it is one."""
    words = text.split() if isinstance(text, str) else []
    is_line = len(words) == 3 and words[0] == "CLIENT_RANDOM" and _is_hex(words[1], 32) and _is_hex(words[2], 48)
    return " ".join(words) if is_line else None


def _is_hex(value: object, octets: int) -> bool:
    return isinstance(value, str) and len(value) == 2 * octets and set(value) <= set("0123456789abcdef")
