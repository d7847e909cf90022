"""The config a training script sees: what the sweep assigned, over `config=` in code, over files.

Files are `config.yaml` or `config-defaults.yaml` beside the script; YAML is imported only if there is one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from tui_sweeps.reporter import warn

TYPE_CHECKING = False  # importing typing for it would cost more than all the rest
if TYPE_CHECKING:
    from typing import Any

DEFAULT_FILES = ("config.yaml", "config-defaults.yaml")


class Config(dict["str", "Any"]):
    """A dict whose keys are attributes too; what the sweep assigned is never overwritten."""

    _locked: frozenset[str] = frozenset()
    _on_change: Callable[[dict[str, Any]], object] | None = None

    def __init__(self, values: Mapping[str, Any], locked: frozenset[str] = frozenset()) -> None:
        super().__init__({key: _attributed(value) for key, value in values.items()})
        object.__setattr__(self, "_locked", locked)

    def watch(self, on_change: Callable[[dict[str, Any]], object]) -> None:
        """Have `on_change` told what the script sets."""
        object.__setattr__(self, "_on_change", on_change)

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        try:
            return self[key]
        except KeyError:
            known = ", ".join(self) or "nothing"
            raise AttributeError(f"the config has no {key!r}; it has {known}") from None

    def __setattr__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __reduce__(self) -> tuple[Any, ...]:
        return Config, (dict(self),)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Set a key that is not there yet; return its value."""
        if key not in self:
            self.update({key: default})
        return self[key]

    def update(self, *others: Any, **given: Any) -> None:
        """Add keys of the script's own; extra keywords such as `allow_val_change` are ignored."""
        given.pop("allow_val_change", None)
        new: dict[str, Any] = dict(*others, **given)
        for key in self._locked & new.keys():
            warn(f"config[{key!r}] is set by the sweep and stays")
        new = {key: value for key, value in new.items() if key not in self._locked}
        super().update({key: _attributed(value) for key, value in new.items()})
        if new and self._on_change is not None:
            self._on_change(new)

    def as_dict(self) -> dict[str, Any]:
        """Return a plain copy."""
        return {key: value.as_dict() if isinstance(value, Config) else value for key, value in self.items()}


def _attributed(value: Any) -> Any:
    return Config(value) if type(value) is dict else value


def load_config(given: Any, environment: Mapping[str, str]) -> Config:
    """Return the run's config."""
    assigned = _assigned(environment)
    values: dict[str, Any] = {}
    for layer in (_from_files(), _as_mapping(given), assigned):
        values.update(layer)
    return Config(values, frozenset(assigned))


def _assigned(environment: Mapping[str, str]) -> dict[str, Any]:
    path = environment.get("TUI_SWEEPS_CONFIG")
    if path:
        import json

        try:
            with open(path, encoding="utf-8", errors="surrogatepass") as file:  # noqa: PTH123 - pathlib is slow to import
                return _as_mapping(json.load(file))
        except (OSError, ValueError) as error:
            warn(f"cannot read {path}: {error}")
    path = environment.get("WANDB_SWEEP_PARAM_PATH")
    return _read_yaml(path) if path else {}


def _from_files() -> dict[str, Any]:
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    places = [os.path.dirname(os.path.abspath(script))] if script else []  # noqa: PTH100, PTH120
    for place in [*places, os.getcwd()]:  # noqa: PTH109
        for name in DEFAULT_FILES:
            path = os.path.join(place, name)  # noqa: PTH118
            if os.path.isfile(path):  # noqa: PTH113
                return _read_yaml(path)
    return {}


def _read_yaml(path: str) -> dict[str, Any]:
    """Read `key: value` and wandb's `key: {value: value}`."""
    try:
        import yaml
    except ImportError:
        warn(f"{path} is not read: PyYAML is not installed here")
        return {}
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            found = _as_mapping(yaml.safe_load(file))
    except (OSError, ValueError, yaml.YAMLError) as error:
        warn(f"cannot read {path}: {error}")
        return {}
    return {
        key: value["value"] if isinstance(value, dict) and "value" in value else value
        for key, value in found.items()
        if key not in ("wandb_version", "_wandb")
    }


def _as_mapping(given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(key): given[key] for key in given}
    try:
        return dict(vars(given))
    except TypeError:
        warn(f"config of type {type(given).__name__} is ignored: a mapping is needed")
        return {}
