"""A YAML file with the line of every value, so that an error can point into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.core.errors import DefinitionError

if TYPE_CHECKING:
    import yaml

# The keys and list positions that lead from the top of the document to a value.
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Lines:
    """The line (from 1) at which each place of the file stands."""

    path: Path
    by_place: Mapping[Place, int]

    def locate(self, place: Place) -> str:
        """Return FILE:LINE of the place, or of the nearest place around it."""
        while place and place not in self.by_place:
            place = place[:-1]
        return f"{self.path}:{self.by_place.get(place, 1)}"


def read_yaml(path: Path) -> tuple[object, Lines]:
    """Return the document in `path` and its lines; DefinitionError if it is not YAML or has a key twice."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        # The loader in C reads the same language ten times faster, where it was built.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        root = yaml.compose(text, Loader=loader)
        document = yaml.load(text, Loader=loader)
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path}: cannot be read: {error}. Name a YAML file in UTF-8.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise DefinitionError(f"{path}:{line}: not YAML: {getattr(error, 'problem', error)}.") from None
    except ValueError as error:
        # What looks like a date or a number is made into one while it is read.
        raise DefinitionError(f"{path}: not YAML: a value is no date or number: {error}.") from None
    found: dict[Place, int] = {}
    if root is not None:
        try:
            _walk(root, (), found, path)
        except RecursionError:
            raise DefinitionError(f"{path}: a value holds itself, or lies too deep. Write out what it means.") from None
    return document, Lines(path, found)


def _walk(node: yaml.Node, place: Place, found: dict[Place, int], path: Path) -> None:
    import yaml

    found.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if str(key.value) in seen:
                raise DefinitionError(f"{path}:{line}: the key '{key.value}' stands here twice. Keep one.")
            seen.add(str(key.value))
            found[(*place, str(key.value))] = line
            _walk(value, (*place, str(key.value)), found, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, (*place, index), found, path)
