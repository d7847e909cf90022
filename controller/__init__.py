"""The controller: decides, proposes, remembers and carries; it knows nothing of the dashboard."""
