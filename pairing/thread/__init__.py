"""Thread: operational datasets, commissioning (MeshCoP), joining and credential sharing. Pure, like all `pairing`."""
