"""Checks of a bundle, which anybody may have written."""
