"""Our own wire: HTTP with JSON over a Unix socket."""
