"""Replays recorded vectors: inputs and randomness go in, every answer is produced by our engines and compared.

Files are told apart by content. Each module of `formats` has `recognises(document)` and `check(document)`.
"""
