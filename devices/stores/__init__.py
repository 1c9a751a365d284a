"""What outlives a process: the phones' credential stores, and the lock on a state directory.

A file of rows, transactional and private to its user; which rows there may be is decided in `pairing`.
"""

from devices.stores.credentials import CredentialStore, Transaction
from devices.stores.state_directory import StateDirectory

__all__ = ["CredentialStore", "StateDirectory", "Transaction"]
