"""Pre-association security negotiation (PASN) as NAN pairing runs it: both roles. Pure, like all `pairing`."""
