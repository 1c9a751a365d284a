"""Decoding for people: bytes of any layer as a tree of named fields with offsets; captures packet by packet."""
