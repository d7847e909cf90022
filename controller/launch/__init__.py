"""Starts agents as processes of this machine."""
