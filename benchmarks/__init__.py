"""Benchmarks: each measures Gnomon beside a peer or a limit, in one run, and prints the ratio."""
