"""Keys: the one table, how they are written, and the user's own."""

from tui_sweeps.keys.keymap import KeymapError, read_keymap
from tui_sweeps.keys.signs import first_shown, key_sign, readme_table, shown, sign
from tui_sweeps.keys.table import ALL, KEYS, Key, action_of, command_of, footer_of, keys_of

__all__ = [
    "ALL",
    "KEYS",
    "Key",
    "KeymapError",
    "action_of",
    "command_of",
    "first_shown",
    "footer_of",
    "key_sign",
    "keys_of",
    "read_keymap",
    "readme_table",
    "shown",
    "sign",
]
