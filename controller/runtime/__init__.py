"""Builds the house and opens and closes it; no logic of its own."""
