"""Widgets: attributes down, messages up. None holds a client, waits, or computes what it shows."""
