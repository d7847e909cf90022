"""Decides: events and commands in, changes, effects and replies out; no I/O, no clock, no dice."""
