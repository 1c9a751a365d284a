"""Faults: one file each, registered by name; their fields are their parameters in files, commands and the API."""
