"""Our own wire: HTTP with JSON."""
