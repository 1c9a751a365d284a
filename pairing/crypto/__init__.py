"""Primitives that the protocols share: curves, key derivation, key wrap. No protocol and no state."""
