"""Bonjour on real sockets: the door between a home's lan and the link, and an independent browser."""
