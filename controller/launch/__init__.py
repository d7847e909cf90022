"""Starts agents, as processes of this machine or as SLURM arrays, and asks SLURM what became of them."""
