"""Explains what runs have shown: importance, correlation, curves. Pure functions over plain data.

Nothing heavy is loaded here; import the module whose function you need.
"""
