"""From text to a tree of items: the one file that knows PyYAML.

YAML 1.1 with the semantics of `yaml.safe_load`, because that is how `wandb sweep` reads a file: `1e-4` is
text, `on` is true, the last of two equal keys wins. Limits are checked on the stream of parse events, which
needs no recursion, before anything is built: neither deep brackets nor an alias bomb gets as far as the
composer.
"""

from __future__ import annotations

import datetime
from typing import Any

import yaml

from controller.domain.problems import ProblemList
from controller.domain.sweepfile.items import MAX_DEPTH, MAX_NODES, Entry, Item, sound

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_MAX_DIGITS = 4000
"""Longer numbers are refused unread: PyYAML needs quadratic time for base-60 integers."""
_UNBUILDABLE = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, OverflowError)
"""What PyYAML's constructors raise on tags whose text does not fit: `!!int x`, a thirteenth month."""


def parsed(text: str, problems: ProblemList) -> Item | None:
    """Return the document as a tree, or None after noting why there is none."""
    try:
        if not _within_limits(text, problems):
            return None
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        _note_syntax(error, text, problems)
        return None
    if node is None:
        problems.error(Item(None, 1, 1), "the file is empty", "a sweep file needs `method` and `parameters`")
        return None
    builder = _Builder(problems)
    return builder.item(node) if builder.measure(node) else None


def _at(mark: Any) -> Item:
    return Item(None, mark.line + 1, mark.column + 1) if mark else Item(None, 1, 1)


def _within_limits(text: str, problems: ProblemList) -> bool:
    depth = n_nodes = n_documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        n_nodes += isinstance(event, yaml.NodeEvent)
        n_documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > MAX_DEPTH:
            problems.error(_at(event.start_mark), f"the file is nested deeper than {MAX_DEPTH} levels")
            return False
        if n_nodes > MAX_NODES:
            problems.error(_at(event.start_mark), f"the file has more than {MAX_NODES:,} values")
            return False
        if n_documents > 1:
            problems.error(
                _at(event.start_mark),
                "a second YAML document begins here",
                "a sweep file holds one: split it at `---`",
            )
            return False
    return True


def _note_syntax(error: yaml.YAMLError, text: str, problems: ProblemList) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or "it cannot be parsed"
    at = _at(mark)
    if "nesting depth" in what:  # libyaml, which reads ahead, has a limit of its own since 0.2.6
        problems.error(at, f"the file is nested deeper than {MAX_DEPTH} levels")
        return
    lines = text.splitlines()
    line = lines[at.line - 1].strip() if at.line <= len(lines) else ""
    if "\\t" in what or "'\t'" in what:
        hint = "indent with spaces, not with tabs"
    elif "{{" in line or "{%" in line:
        hint = "this looks like a template that was not filled in"
    elif any(begun.startswith(("import ", "from ", "def ", "class ")) or " = {" in begun for begun in lines):
        hint = "this looks like Python, not YAML"
    elif "alias" in what:
        hint = "put text that begins with `*` in quotes"
    else:
        hint = "check the indentation and the quotes here and on the line above"
    problems.error(at, f"this is not YAML: {what}", hint)


class _Builder:
    """Turns composed nodes into items; a node met twice by alias is built once."""

    def __init__(self, problems: ProblemList) -> None:
        self._problems = problems
        self._constructor = yaml.constructor.SafeConstructor()
        self._built: dict[int, Item] = {}
        self._sizes: dict[int, tuple[int, int]] = {}

    def measure(self, root: yaml.Node) -> bool:
        """Say whether the tree stays within the limits once its aliases are expanded."""
        n_nodes, depth = self._size(root)
        if n_nodes > MAX_NODES:
            self._problems.error(_at(root.start_mark), f"aliases expand to more than {MAX_NODES:,} values")
        elif depth > MAX_DEPTH:
            self._problems.error(_at(root.start_mark), f"aliases nest deeper than {MAX_DEPTH} levels")
        return n_nodes <= MAX_NODES and depth <= MAX_DEPTH

    def _size(self, node: yaml.Node) -> tuple[int, int]:
        if id(node) in self._sizes:
            return self._sizes[id(node)]
        # An alias to something not yet finished contains itself: endless, hence above every limit.
        self._sizes[id(node)] = (MAX_NODES + 1, MAX_DEPTH + 1)
        sizes = [self._size(child) for child in _children(node)]
        level = 0 if isinstance(node, yaml.ScalarNode) else 1
        n_nodes = min(1 + sum(n for n, _ in sizes), MAX_NODES + 1)
        self._sizes[id(node)] = (n_nodes, level + max((depth for _, depth in sizes), default=0))
        return self._sizes[id(node)]

    def item(self, node: yaml.Node) -> Item:
        """Return the node as an item."""
        if id(node) not in self._built:
            match node:
                case yaml.MappingNode():
                    self._built[id(node)] = self._mapping(node)
                case yaml.SequenceNode():
                    self._built[id(node)] = self._sequence(node)
                case _:
                    self._built[id(node)] = self._scalar(node)
        return self._built[id(node)]

    def _scalar(self, node: Any) -> Item:
        at = _at(node.start_mark)
        try:
            if len(node.value) > _MAX_DIGITS and node.tag != f"{_TAG}str":
                raise ValueError("too long for anything but text")
            value = self._constructor.construct_object(node, deep=True)
        except _UNBUILDABLE:
            tag = node.tag.replace(_TAG, "!!")
            hint = "put it in quotes" if tag in ("!!value", "!!merge") else "use plain YAML values"
            self._problems.error(at, f"{node.value[:40]!r} cannot be read as {tag}", hint)
            return at
        text = node.value if node.style in (None, "") else None
        if isinstance(value, datetime.date):
            self._problems.warning(
                at, f"YAML reads {node.value} as a date; it is kept as text", "put it in quotes"
            )
            value = str(value)
        if isinstance(value, bytes):
            self._problems.error(at, "binary data cannot be given to a run")
            value = None
        return Item(sound(value, at, self._problems), at.line, at.column, text=text)

    def _sequence(self, node: Any) -> Item:
        at = _at(node.start_mark)
        self._expect_tag(node, f"{_TAG}seq", at)
        items = tuple(self.item(child) for child in node.value)
        return Item([item.value for item in items], at.line, at.column, items=items)

    def _mapping(self, node: Any) -> Item:
        at = _at(node.start_mark)
        self._expect_tag(node, f"{_TAG}map", at)
        merged: dict[str, Entry] = {}
        entries: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            key_at = _at(key_node.start_mark)
            if key_node.tag == f"{_TAG}merge":
                merged = self._merge(value_node, key_at) | merged
            elif not isinstance(key_node, yaml.ScalarNode):
                self._note_odd_key(key_node, key_at)
            else:
                self._note_key(key_node, entries, key_at)
                entry = Entry(str(key_node.value), self.item(value_node), key_at.line, key_at.column)
                entries[entry.key] = entry
        entries = merged | entries
        values = {key: entry.item.value for key, entry in entries.items()}
        return Item(values, at.line, at.column, entries=entries)

    def _note_key(self, node: Any, entries: dict[str, Entry], at: Item) -> None:
        key = str(node.value)
        if (earlier := entries.get(key)) is not None:
            self._problems.warning(
                at,
                f"`{key}` is given twice; this one replaces the one on line {earlier.line}",
                "remove one of them",
                key=key,
            )
        known = self.item(node)
        if not isinstance(known.value, str) and key != "on":  # `retry: {on: ...}` is ours and unambiguous
            self._problems.warning(
                at, f"the key {key} is {known.kind} in YAML; it is kept as text", "put it in quotes"
            )

    def _note_odd_key(self, node: Any, at: Item) -> None:
        template = isinstance(node, yaml.MappingNode)
        self._problems.error(
            at,
            f"a {'mapping' if template else 'list'} cannot be a key",
            "this looks like a template `{{ ... }}` that was not filled in"
            if template
            else "use text as the key",
        )

    def _merge(self, node: Any, at: Item) -> dict[str, Entry]:
        """Return the entries that `<<` brings in; of several mappings the first one wins."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Entry] = {}
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                self._problems.error(at, "`<<` takes a mapping or a list of mappings", "write `<<: *name`")
            else:
                merged = dict(self.item(source).entries or {}) | merged
        return merged

    def _expect_tag(self, node: Any, tag: str, at: Item) -> None:
        if node.tag != tag:
            self._problems.error(
                at, f"the tag {node.tag.replace(_TAG, '!!')[:60]} is not allowed", "use plain YAML"
            )


def _children(node: Any) -> list[yaml.Node]:
    match node:
        case yaml.MappingNode():
            return [child for pair in node.value for child in pair]
        case yaml.SequenceNode():
            return list(node.value)
        case _:
            return []
