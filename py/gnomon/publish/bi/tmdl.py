"""The Tabular Model Definition Language: objects of a semantic model as indented text.

As Microsoft's description of it says: one tab for each level; a description in lines of /// before its object; names
that are no plain words in single quotes, which are doubled inside; an expression after `=`, on the same line or on
lines that are indented by two levels more than the object; values of properties after a colon.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
# What tags of lineage are made of: the same object has the same one in each export.
_TAGS = uuid.uuid5(uuid.NAMESPACE_URL, "gnomon/tmdl")


@dataclass(frozen=True)
class Node:
    """An object: its type, its name, what is said of it, its expression, properties and children.

    A property whose value is True is written as its name alone. A tag of lineage is made from `tag`, if there is one.
    """

    kind: str
    name: str
    description: str = ""
    expression: str = ""
    properties: Mapping[str, str | bool] = field(default_factory=dict)
    children: tuple[Node, ...] = ()
    # A property that is an expression, as the source of a partition.
    source: str = ""
    tag: str = ""


def write_tmdl(*nodes: Node) -> str:
    """Return the text of a file."""
    return "\n\n".join("\n".join(_write(node, 0)) for node in nodes) + "\n"


def quote_name(name: str) -> str:
    """Return a name as it stands in TMDL."""
    doubled = name.replace("'", "''")
    return name if _PLAIN.fullmatch(name) else f"'{doubled}'"


def make_tag(*path: str) -> str:
    """Return a tag that is an object's own and always the same."""
    return str(uuid.uuid5(_TAGS, "/".join(path)))


def _write(node: Node, level: int) -> Iterator[str]:
    here, below = "\t" * level, "\t" * (level + 1)
    if node.description:
        yield f"{here}/// {one_line(node.description)}"
    head = f"{here}{node.kind} {quote_name(node.name)}"
    if "\n" in node.expression:
        yield f"{head} ="
        yield from _indent(node.expression, level + 2)
    else:
        yield f"{head} = {node.expression}" if node.expression else head
    properties = dict(node.properties)
    if node.tag:
        properties["lineageTag"] = make_tag(node.tag)
    for name, value in properties.items():
        yield f"{below}{name}" if value is True else f"{below}{name}: {value}"
    if node.source:
        yield f"{below}source ="
        yield from _indent(node.source, level + 3)
    for child in node.children:
        yield ""
        yield from _write(child, level + 1)


def _indent(text: str, level: int) -> Iterator[str]:
    tabs = "\t" * level
    return (tabs + line for line in text.splitlines())


def one_line(text: str) -> str:
    """Return a text on one line, without characters that no text has."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
