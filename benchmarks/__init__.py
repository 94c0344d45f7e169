"""Measured claims: each script runs the other way and ours in turn, and prints the ratio."""
