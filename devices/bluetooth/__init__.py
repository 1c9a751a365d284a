"""Bluetooth LE without a radio: Bumble's host and controller on our medium, and the doors through which clients come.

Everything below imports Bumble (the extra `ble`), so nobody imports this package before a home needs it.
"""
