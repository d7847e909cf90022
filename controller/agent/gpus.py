"""How many GPUs an agent's runs may use, from its environment alone.

Sources: CUDA C++ Programming Guide, "CUDA Environment Variables"; ROCm, "GPU isolation techniques";
sbatch(1), "OUTPUT ENVIRONMENT VARIABLES".
"""

from __future__ import annotations

from collections.abc import Mapping

VISIBLE = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
"""What the libraries go by; SLURM sets them, and so do people who share a machine."""

NONE = ("", "-1", "NoDevFiles", "none", "void")
"""How these say that there is no GPU."""

MOST = 1024
"""More on one host is a mistake in the environment."""


def gpus_from(environment: Mapping[str, str]) -> int:
    """Return the number of GPUs; 0 where nothing is said, which on a host that nobody shares may be wrong."""
    for name in VISIBLE:
        if (text := environment.get(name)) is not None:
            return min(_listed(text), MOST)
    counted = environment.get("SLURM_GPUS_ON_NODE", "")
    plain = counted.isascii() and counted.isdigit() and len(counted) < 16
    return min(int(counted), MOST) if plain else 0


def _listed(text: str) -> int:
    """Count what a list names: up to the first entry that names no device, as CUDA reads it."""
    n = 0
    for word in text.split(","):
        if word.strip() in NONE:
            break
        n += 1
    return n
