"""Simultaneous Authentication of Equals with hash-to-element, as PASN carries it. Pure, like all `pairing`."""
