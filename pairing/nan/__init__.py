"""Wi-Fi Aware (NAN): attributes and frames, timing and cluster, discovery, pairing bootstrapping, platform rules."""
