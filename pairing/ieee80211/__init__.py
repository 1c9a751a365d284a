"""IEEE 802.11 management frames, elements, key data and robust frame protection. Pure codecs, like all `pairing`."""
