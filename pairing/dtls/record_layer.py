"""The record layer of one connection: sequence numbers and keys of both directions, epoch 0 in clear and epoch 1.

There is no renegotiation, so no further epoch. Source: RFC 6347, section 4.1.
"""

from pairing.dtls.record import (
    DTLS_1_2,
    ContentType,
    DtlsRecord,
    ReadProtection,
    ReplayWindow,
    WriteProtection,
    check_plaintext,
)
from pairing.errors import LocalProtocolError, RemoteProtocolError


class RecordLayer:
    """Seals what we send, opens what comes. `first_sequence` is the number of our first record."""

    def __init__(self, first_sequence: int = 0) -> None:
        self.read_epoch = 0
        self.write_epoch = 0
        self._sequences = [first_sequence, 0]
        self._window = ReplayWindow(is_in_clear=True)
        self._write: WriteProtection | None = None
        self._read: ReadProtection | None = None

    def install(self, write: tuple[bytes, bytes], read: tuple[bytes, bytes]) -> None:
        """Key and IV of each direction; both are used from the change of epoch on."""
        self._write, self._read = WriteProtection(*write), ReadProtection(*read)

    def read_protected(self) -> None:
        """The peer has changed to epoch 1."""
        self.read_epoch = 1
        self._window = ReplayWindow()

    def seal(self, content_type: ContentType, epoch: int, plaintext: bytes) -> DtlsRecord:
        """The next record of an epoch."""
        check_plaintext(plaintext)
        record = DtlsRecord(content_type, DTLS_1_2, epoch, self._sequences[epoch], plaintext)
        self._sequences[epoch] += 1
        if not epoch:
            return record
        if self._write is None:
            raise LocalProtocolError("no DTLS keys to send with")
        return self._write.protect(record)

    def mark_read(self, sequence: int) -> None:
        """Note a record that somebody else has read for us."""
        self._window.mark(sequence)

    def open(self, record: DtlsRecord) -> bytes:
        """The plaintext of a record of the epoch that is read.

        Raises AuthenticationError where it does not decrypt, RemoteProtocolError where its number has been seen.
        """
        if not self._window.is_fresh(record.sequence):
            raise RemoteProtocolError(
                f"record {record.sequence} of epoch {record.epoch} was seen before, or is too old"
            )
        plaintext = record.fragment
        if record.epoch:
            if self._read is None:
                raise LocalProtocolError("no DTLS keys to read with")
            plaintext = self._read.open(record)
        self._window.mark(record.sequence)
        return plaintext
