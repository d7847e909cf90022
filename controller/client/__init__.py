"""The one door to the controller, and how to find it."""
