"""The names of group-bys and filters: metric_time, an entity, or an attribute of an entity.

Two forms name the same thing: the plain name `creator__tier`, `metric_time__week`, and
MetricFlow's call, `Dimension('creator__tier')`, `TimeDimension('metric_time', 'week')`.
A call is read as a syntax tree and never run.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace

from gnomon.core.errors import QueryError, explain_unknown
from gnomon.core.names import EntityName
from gnomon.semantic.grain import Grain

METRIC_TIME = "metric_time"
CALL_WORDS = ("Dimension", "TimeDimension", "Entity", "Metric")
_GRAINS = {grain.value: grain for grain in Grain}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_{1,2}[A-Za-z0-9]+)*")

_DESCENDING = re.compile(r"(?P<call>.*?)(?:\.descending\((?P<flag>True|False)\))?", re.DOTALL)
_METRIC_CALL = re.compile(r"Metric\(\s*['\"](?P<name>\w+)['\"]\s*\)")


@dataclass(frozen=True)
class Reference:
    """A name, taken apart: metric_time, an entity, or an attribute of an entity.

    `links` are the entities before the element: ('creator',) in creator__tier.
    """

    links: tuple[EntityName, ...]
    element: str
    grain: Grain | None = None

    @property
    def name(self) -> str:
        """The name as MetricFlow writes it, which is the column's name in the answer."""
        parts = [*self.links, self.element]
        if self.grain is not None:
            parts.append(self.grain.value)
        return "__".join(parts)


def parse_reference(word: str) -> Reference:
    """Return the reference that `word` names, plain or as a call; QueryError if it cannot be one."""
    if "(" in word:
        return parse_call(word)
    if not _NAME.fullmatch(word):
        raise QueryError(f"'{word}' is not a name. A group-by reads metric_time__week, creator or creator__tier.")
    parts = word.split("__")
    grain = None
    if len(parts) > 1 and parts[-1].lower() in _GRAINS:
        grain = _GRAINS[parts.pop().lower()]
    elif len(parts) > 1 and parts[-1].startswith("extract_"):
        raise QueryError(f"'{word}': date parts are not there yet. Group by a grain: {', '.join(_GRAINS)}.")
    elif len(parts) == 2 and parts[0] == METRIC_TIME:
        raise QueryError(explain_unknown("grain", parts[1], _GRAINS))
    return Reference(links=tuple(EntityName(part) for part in parts[:-1]), element=parts[-1], grain=grain)


def parse_grain(word: str) -> Grain:
    """Return the grain of that name; QueryError with the nearest ones otherwise."""
    if word.lower() not in _GRAINS:
        raise QueryError(explain_unknown("grain", word, _GRAINS))
    return _GRAINS[word.lower()]


def parse_call(call: str) -> Reference:
    """Return the reference that a call such as TimeDimension('metric_time', 'week') names."""
    try:
        tree = ast.parse(call.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise _refuse_call(call) from None
    grain = None
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute):
        if tree.func.attr != "grain":
            raise QueryError(f"'.{tree.func.attr}(…)' is not there; .grain('week') is.")
        (grain_word,) = _read_strings(tree, call, most=1)
        grain, tree = parse_grain(grain_word), tree.func.value
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise _refuse_call(call)
    word = tree.func.id
    if word not in CALL_WORDS:
        raise QueryError(explain_unknown("word", word, CALL_WORDS))
    if word == "Metric":
        raise QueryError("filters on a metric are not there yet; filter on a dimension.")
    name, *grain_words = _read_strings(tree, call, most=2 if word == "TimeDimension" else 1)
    if not _NAME.fullmatch(name):
        raise _refuse_call(call)
    reference = parse_reference(name)
    if reference.grain is not None:
        plain = replace(reference, grain=None).name
        raise QueryError(
            f"'{call.strip()}': the grain is not part of the name there. "
            f"Write TimeDimension('{plain}', '{reference.grain.value}')."
        )
    if grain_words:
        grain = parse_grain(grain_words[0])
    return reference if grain is None else replace(reference, grain=grain)


def parse_order(word: str) -> tuple[str, bool]:
    """Return (name, is descending) of `-name`, or of MetricFlow's call with .descending(True)."""
    if "(" not in word:
        return word.removeprefix("-"), word.startswith("-")
    match = _DESCENDING.fullmatch(word.strip())
    assert match is not None
    call, is_descending = match["call"], match["flag"] == "True"
    metric = _METRIC_CALL.fullmatch(call)
    return (metric["name"] if metric else parse_call(call).name), is_descending


def _read_strings(call: ast.Call, text: str, most: int) -> list[str]:
    if call.keywords:
        raise QueryError(f"'{text}': the argument '{call.keywords[0].arg}' is not there.")
    values = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    words = [value for value in values if isinstance(value, str)]
    if not words or len(words) != len(call.args) or len(words) > most:
        raise QueryError(f"'{text}' takes {'one name' if most == 1 else 'a name and a grain'}, in quotes.")
    return words


def _refuse_call(call: str) -> QueryError:
    return QueryError(f"'{call}' is not a reference such as Dimension('creator__tier').")
