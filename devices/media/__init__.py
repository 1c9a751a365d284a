"""Simulated media: ordered, seeded, and the same on real and virtual time."""
