"""What outlives a process: a home's state directory, and the credential stores of its phones.

Files of rows, transactional and private to their user; which rows there may be is decided in `pairing`.
"""
