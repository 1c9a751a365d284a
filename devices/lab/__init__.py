"""The lab: runs scenarios, sweeps them over seeds, and runs a program beside a home."""
