"""Bluetooth LE without a radio: Bumble's host and controller on our medium, and the doors through which clients come.

All but `tables` and `adverts` import Bumble (the extra `ble`), so nobody imports them before a home needs them.
"""
