"""A YAML file held against a pydantic model, all of its errors told at once with file, line and nearest word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from gnomon.core.errors import DefinitionError, explain_unknown
from gnomon.core.yaml_lines import Lines, Place, read_yaml

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")


def read_checked_yaml(path: Path, model: type[Model], form: str) -> tuple[Model, Lines]:
    """Return the file as `model` says it is, and its lines.

    `form` names the page that shows what may stand there. DefinitionError with every error, one a line.
    """
    from pydantic import ValidationError

    document, lines = read_yaml(path)
    if not isinstance(document, dict):
        raise DefinitionError(f"{lines.locate(())}: the file is a mapping of keys. {form} shows its form.")
    try:
        return model.model_validate(document), lines
    except ValidationError as error:
        told = sorted({_explain(problem, model, lines, form) for problem in error.errors()})
        raise DefinitionError("\n".join(text for _, text in told)) from None


def _explain(problem: Any, model: type[BaseModel], lines: Lines, form: str) -> tuple[int, str]:
    """Return the line and pydantic's error in our words."""
    place: Place = problem["loc"]
    where = lines.locate(place)
    name = str(place[-1]) if place else "the file"
    match problem["type"]:
        case "extra_forbidden":
            text = explain_unknown("key", name, _fields_at(model, place[:-1]))
        case "missing":
            where, text = lines.locate(place[:-1]), f"'{name}' is missing. {form} says what it means."
        case "value_error":
            text = str(problem["ctx"]["error"])
        case _:
            words = problem["msg"][0].lower() + problem["msg"][1:]
            text = f"'{name}': {words}, not {problem['input']!r}."
    return int(where.rpartition(":")[2]), f"{where}: {text}"


def _fields_at(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys that may stand at a place, each part of which leads into a field, a mapping or a list."""
    here: Any = model
    for part in place:
        fields = getattr(here, "model_fields", None)
        here = fields[part].annotation if fields and part in fields else here
        if not fields:
            continue
        while not hasattr(here, "model_fields") and get_args(here):
            here = next((each for each in reversed(get_args(here)) if each is not type(None)), None)
    return list(getattr(here, "model_fields", {}))
