"""The recorder: taps every medium and the event log, and writes a CBOR sequence (`specs/transcript.cddl`)."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

import cbor2

from devices.event_log import StampedEvent
from devices.media.medium import Flight
from devices.transcripts.hci_secrets import without_keys
from pairing.engine import Address, Endpoint, Micros

FORMAT = "pairlab-transcript"
VERSION = 1


def _address(address: Address) -> Any:
    return list(address) if isinstance(address, Endpoint) else address


class Recorder:
    """Writes each record to `sink` as it happens; the header goes first."""

    def __init__(
        self,
        sink: Callable[[bytes], object],
        *,
        now: Callable[[], Micros],
        seed: int,
        source: bytes = b"",
        secrets: bool = False,
    ) -> None:
        self._sink = sink
        self._now = now
        self._secrets = secrets
        scenario = hashlib.sha256(source).digest()
        self._write({"format": FORMAT, "version": VERSION, "scenario": scenario, "seed": seed})

    def sent(self, medium: str, sender: str, source: Address, to: Address, payload: bytes) -> None:
        """A port has sent a frame. Keys of Bluetooth bonds are left out of it unless secrets are wanted."""
        if medium == "ble" and not self._secrets:
            payload = without_keys(payload)
        self._write(
            {
                "k": "frame",
                "t": self._now(),
                "m": medium,
                "s": sender,
                "from": _address(source),
                "to": _address(to),
                "b": payload,
            }
        )

    def fate(self, flight: Flight, survivors: Sequence[Flight]) -> None:
        """A fault has changed what becomes of a flight."""
        record: dict[str, Any] = {
            "k": "fate",
            "t": self._now(),
            "m": flight.medium,
            "s": flight.sender,
            "r": flight.receiver,
            "n": len(survivors),
            "at": [each.arrives_us for each in survivors],
        }
        if any(each.payload != flight.payload for each in survivors):
            record["b"] = [each.payload for each in survivors]
        self._write(record)

    def octets(self, actor: str, own: Endpoint, peer: Endpoint, payload: bytes, *, inward: bool) -> None:
        """Octets went over a TCP connection of a real program. They may be keys in the open."""
        if self._secrets:
            record = {"k": "octets", "t": self._now(), "s": actor, "in": inward, "b": payload}
            self._write({**record, "own": _address(own), "peer": _address(peer)})

    def happened(self, event: StampedEvent) -> None:
        """An event was logged."""
        self._write({"k": "event", "t": event.at_us, "e": event.as_json(secrets=self._secrets)})

    def _write(self, record: Mapping[str, Any]) -> None:
        self._sink(cbor2.dumps(record, canonical=True))


class MemoryTranscript:
    """A sink that keeps everything, for tests and virtual homes."""

    def __init__(self) -> None:
        self._buffer = BytesIO()

    def __call__(self, data: bytes) -> None:
        self._buffer.write(data)

    def getvalue(self) -> bytes:
        """All bytes so far."""
        return self._buffer.getvalue()
