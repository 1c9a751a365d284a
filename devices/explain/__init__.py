"""Explaining failures: why a MIC, tag, proof or verdict in a transcript failed, and the known mistake that fits."""
