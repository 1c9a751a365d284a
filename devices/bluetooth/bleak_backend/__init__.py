"""A backend for bleak on any system: it reaches a pairlab home by HCI over TCP, so unmodified bleak code meets emulated
accessories.

Which home is in the environment variable `PAIRLAB_BLE_HCI`, as host:port. Only `install` is imported before bleak is.
"""
