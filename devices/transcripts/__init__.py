"""Transcripts: what was sent and what happened, in order; recorded as CBOR, read, shown and converted."""
