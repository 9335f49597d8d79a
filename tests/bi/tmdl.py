"""A strict reader of TMDL as far as the export uses it: indentation, nesting, names, and properties that objects have.

What Microsoft's description of the language does not allow is an error here, and so is every object and property that
is not listed below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# The objects that may stand under each, the properties of each, and whether it may have an expression.
CHILDREN = {
    "": {"database", "model", "table", "relationship", "expression"},
    "table": {"measure", "column", "partition"},
    "expression": {"annotation"},
}
PROPERTIES = {
    "database": {"compatibilityLevel"},
    "model": {"culture", "defaultPowerBIDataSourceVersion", "discourageImplicitMeasures", "sourceQueryCulture"},
    "table": {"lineageTag", "dataCategory"},
    "measure": {"formatString", "displayFolder", "lineageTag"},
    "column": {"dataType", "isHidden", "isKey", "formatString", "summarizeBy", "sourceColumn", "lineageTag"},
    "partition": {"mode", "source"},
    "relationship": {"fromColumn", "toColumn"},
    "expression": {"lineageTag"},
    "annotation": set(),
}
WITH_EXPRESSION = {"measure", "partition", "expression", "annotation"}
FLAGS = {"discourageImplicitMeasures", "isHidden", "isKey"}
VALUES = {
    "dataType": {"int64", "double", "string", "boolean", "dateTime"}, "summarizeBy": {"sum", "none"},
    "mode": {"import"}, "compatibilityLevel": {"1600"}, "defaultPowerBIDataSourceVersion": {"powerBI_V3"},
    "dataCategory": {"Time"},
}  # fmt: skip
_NAME = r"(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^\s.=:'\"]+))"
_HEAD = re.compile(rf"(?P<kind>[a-z]+) {_NAME}(?: =(?P<rest>.*))?")
_PROPERTY = re.compile(r"(?P<name>[a-zA-Z]+): (?P<value>\S.*)")
_REF = re.compile(rf"ref table {_NAME}")


@dataclass
class Object:
    kind: str
    name: str
    description: str
    expression: str = ""
    properties: dict[str, str | bool] = field(default_factory=dict)
    children: list[Object] = field(default_factory=list)

    def take(self, kind: str) -> list[Object]:
        return [child for child in self.children if child.kind == kind]


@dataclass
class File:
    objects: list[Object]
    refs: list[str]


class Lines:
    """The lines of a file, with the depth of each."""

    def __init__(self, text: str) -> None:
        assert text.endswith("\n")
        assert not text.endswith("\n\n"), "a file ends with one line end"
        assert "\r" not in text
        self.lines = text.removesuffix("\n").split("\n")
        self.place = 0

    def peek(self) -> tuple[int, str] | None:
        while self.place < len(self.lines) and not self.lines[self.place]:
            self.place += 1
        if self.place == len(self.lines):
            return None
        line = self.lines[self.place]
        text = line.lstrip("\t")
        assert text == text.strip(), f"blanks around {line!r}"
        return len(line) - len(text), text

    def take_block(self, depth: int) -> str:
        """Return the lines that are indented by `depth` or more, less that."""
        taken = []
        while self.place < len(self.lines) and self.lines[self.place].startswith("\t" * depth):
            taken.append(self.lines[self.place][depth:])
            self.place += 1
        assert taken, "an expression without lines"
        return "\n".join(taken)


def read(text: str) -> File:
    """Return the objects of a file; AssertionError if it is not TMDL as described above."""
    lines = Lines(text)
    found = File([], [])
    while (at := lines.peek()) is not None:
        depth, word = at
        assert depth == 0, f"line {lines.place + 1} is indented under nothing"
        ref = _REF.fullmatch(word)
        if ref is not None:
            found.refs.append(_unquote(ref))
            lines.place += 1
        else:
            found.objects.append(_read_object(lines, 0, ""))
    return found


def _read_object(lines: Lines, depth: int, parent: str) -> Object:
    description = []
    while (at := lines.peek()) is not None and at[1].startswith("///"):
        assert at[0] == depth
        description.append(at[1].removeprefix("///").strip())
        lines.place += 1
    at = lines.peek()
    assert at is not None, "a description of nothing"
    assert at[0] == depth
    head = _HEAD.fullmatch(at[1])
    assert head is not None, f"line {lines.place + 1}: {at[1]!r} is no object"
    kind = head["kind"]
    assert kind in CHILDREN.get(parent, set()), f"{kind} under {parent or 'nothing'}"
    made = Object(kind, _unquote(head), "\n".join(description))
    lines.place += 1
    if head["rest"] is not None:
        assert kind in WITH_EXPRESSION
        # On its own lines it is indented by two levels more than the object, so by one more than properties.
        made.expression = head["rest"].removeprefix(" ") or lines.take_block(depth + 2)
        assert made.expression.strip()
    assert (head["rest"] is not None) == (kind in WITH_EXPRESSION), f"{kind} {made.name} and its expression"
    _read_below(lines, depth, made)
    return made


def _read_below(lines: Lines, depth: int, made: Object) -> None:
    while (at := lines.peek()) is not None and at[0] > depth:
        assert at[0] == depth + 1, f"line {lines.place + 1} is indented by more than one level"
        word = at[1]
        property_ = _PROPERTY.fullmatch(word)
        if word == "source =":
            assert made.kind == "partition"
            lines.place += 1
            made.properties["source"] = lines.take_block(depth + 3)
        elif property_ is not None and not word.startswith("///"):
            assert not made.children, "a property after a child"
            name, value = property_["name"], property_["value"]
            assert name in PROPERTIES[made.kind] - FLAGS, f"{made.kind} has no {name}"
            assert name not in made.properties
            assert value in VALUES.get(name, {value}), f"{name}: {value}"
            made.properties[name] = value
            lines.place += 1
        elif word in FLAGS:
            assert word in PROPERTIES[made.kind]
            made.properties[word] = True
            lines.place += 1
        else:
            made.children.append(_read_object(lines, depth + 1, made.kind))


def _unquote(match: re.Match[str]) -> str:
    return match["quoted"].replace("''", "'") if match["quoted"] else match["plain"]


def split_column(text: str) -> tuple[str, str]:
    """Return the table and the column that a relationship names."""
    match = re.fullmatch(rf"{_NAME}\.{_NAME.replace('quoted', 'quoted_2').replace('plain', 'plain_2')}", text)
    assert match is not None
    quoted, plain = match["quoted_2"], match["plain_2"]
    return _unquote(match), quoted.replace("''", "'") if quoted else plain


def walk(objects: list[Object]) -> Iterator[Object]:
    for each in objects:
        yield each
        yield from walk(each.children)
