"""Compositions: each file is a program that chains stages."""
