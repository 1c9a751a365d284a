"""One module per format of vector file: `recognises(document) -> bool`, `check(document)` raises `Mismatch`."""
