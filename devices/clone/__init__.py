"""Home files made from real devices: what `otbr` or `bonjour` reads of one becomes an accessory that looks like it."""
