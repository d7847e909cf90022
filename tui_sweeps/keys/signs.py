"""How keys are written for people, as they are bound now."""

from __future__ import annotations

from tui_sweeps.keys.table import ALL, KEYS, SWEEP, Key

SIGNS = {
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "asterisk": "*",
    "minus": "-",
    "space": "space",
    "escape": "esc",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}
"""How keys are written for people."""

NAMES = {sign: name for name, sign in SIGNS.items() if len(sign) == 1}
"""What a keymap file may say instead of Textual's names."""


def sign(key: str) -> str:
    """Return a key as it is written for people."""
    return SIGNS.get(key, key)


def shown(key: Key, keymap: dict[str, str]) -> str:
    """Return the key by which a row is reached now, written for people."""
    return " ".join(sign(one.strip()) for one in keymap.get(key.id, key.keys).split(","))


def first_shown(key: Key, keymap: dict[str, str]) -> str:
    """Return the first key only, for the footer."""
    return sign(keymap.get(key.id, key.keys).split(",")[0].strip())


def key_sign(name: str, keymap: dict[str, str]) -> str:
    """Return the key of an action by its id, written for people."""
    return first_shown(next(key for key in KEYS if key.id == name), keymap)


def readme_table() -> str:
    """Return the table as Markdown for the README."""
    lines = ["| key | does | where |", "|---|---|---|"]
    for key in KEYS:
        if key.views == ALL:
            where = "everywhere"
        elif key.views in (SWEEP, SWEEP | {"sweeps"}):
            where = "Sweep" if key.views == SWEEP else "Sweeps, Sweep"
        else:
            where = ", ".join(view.capitalize() for view in sorted(key.views))
        lines.append(f"| `{shown(key, {})}` | {key.help} | {where} |")
    return "\n".join(lines) + "\n"
