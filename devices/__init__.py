"""The acting half of pairlab: virtual accessories, media, faults, the control API and the command line."""
