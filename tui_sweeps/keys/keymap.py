"""The user's own keys: one TOML table `[keys]` of action to key, or keys separated by commas.

A wrong one is named with its line; nothing of a file with a mistake is taken.
"""

from __future__ import annotations

import re
import tomllib

from tui_sweeps.keys.signs import NAMES, sign
from tui_sweeps.keys.table import KEYS


class KeymapError(ValueError):
    """The keymap file says something wrong; the message names the line."""


def read_keymap(text: str, name: str = "keys.toml") -> dict[str, str]:
    """Return action id to Textual key names from a user's TOML text.

    Raises:
        KeymapError: not TOML, an unknown action, no key, or one key for two actions of a view.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KeymapError(f"{name}: {error}") from error
    known = {key.id for key in KEYS}
    keymap: dict[str, str] = {}
    entries = table.get("keys", {})
    if not isinstance(entries, dict) or set(table) - {"keys"}:
        raise KeymapError(f"{name}:1: keys stand in one table, [keys]")
    for action, value in entries.items():
        line = _line_of(text, action)
        if action not in known:
            raise KeymapError(f"{name}:{line}: there is no action {action!r}; see `?` for their names")
        if not isinstance(value, str) or not value.strip():
            raise KeymapError(f'{name}:{line}: the key of {action!r} must be text such as "p" or "ctrl+p"')
        keymap[action] = ",".join(_name_of(one) for one in _split(value))
    _check_clashes(keymap, text, name)
    return keymap


def _split(value: str) -> list[str]:
    return [value] if value == "," else [one.strip() or one for one in value.split(",")]


def _name_of(one: str) -> str:
    if one == " ":
        return "space"
    return NAMES.get(one, "comma" if one == "," else one)


def _line_of(text: str, action: str) -> int:
    pattern = re.compile(rf"^\s*[\"']?{re.escape(action)}[\"']?\s*=")
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.match(line):
            return number
    return 1


def _check_clashes(keymap: dict[str, str], text: str, name: str) -> None:
    for action in keymap:
        row = next(key for key in KEYS if key.id == action)
        for other in KEYS:
            if other.id in (action, "now") or action == "now" or not (other.views & row.views):
                continue
            both = set(keymap[action].split(",")) & set(keymap.get(other.id, other.keys).split(","))
            if both:
                taken = sign(sorted(both)[0])
                raise KeymapError(
                    f"{name}:{_line_of(text, action)}: {taken} of {action!r} is already {other.id!r}'s key"
                )
