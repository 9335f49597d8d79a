"""The names of group-bys and filters: metric_time, an entity, an attribute of one, or a metric by an entity.

Two forms name the same thing: the plain name `creator__tier`, `metric_time__week`, and
MetricFlow's call, `Dimension('creator__tier')`, `TimeDimension('metric_time', 'week')`.
A call is read as a syntax tree and never run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from gnomon.core.errors import QueryError, explain_unknown, shorten
from gnomon.core.names import EntityName
from gnomon.semantic.grain import AnyGrain, CustomGrain, DatePart, Grain, base_of

METRIC_TIME = "metric_time"
CALL_WORDS = ("Dimension", "TimeDimension", "Entity", "Metric")
CustomGrains = Mapping[str, CustomGrain]
_GRAINS = {grain.value: grain for grain in Grain}
_PARTS = {part.value: part for part in DatePart}
_PART_PREFIX = "extract_"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_{1,2}[A-Za-z0-9]+)*")

_MOST_CHARACTERS = 1_000
# Words, quoted words and what stands between them: Python's parser warns of some other things, to the terminal.
_CALL = re.compile(r"""(?:'[^'\\\n]*+'|"[^"\\\n]*+"|[A-Za-z_]\w*+|[\s.,=()\[\]])*+""", re.ASCII)
_DESCENDING = re.compile(r"(?P<call>.*?)(?:\.descending\((?P<flag>True|False)\))?", re.DOTALL)
_METRIC_CALL = re.compile(r"Metric\(\s*['\"](?P<name>\w+)['\"]\s*\)")


@dataclass(frozen=True)
class Reference:
    """A name, taken apart: metric_time, an entity, or an attribute of an entity.

    `links` are the entities before the element: ('creator',) in creator__tier. A time has a
    `grain` or a `part`. With `metric`, the value is that metric's, by the entity that the name is to it.
    """

    links: tuple[EntityName, ...]
    element: str
    grain: AnyGrain | None = None
    part: DatePart | None = None
    metric: str | None = None

    @cached_property
    def plain(self) -> str:
        """The name without its grain or part."""
        return "__".join((*self.links, self.element)) if self.links else self.element

    @cached_property
    def name(self) -> str:
        """The name as MetricFlow writes it, which is the column's name in the answer."""
        if self.metric is not None:
            return f"{self.plain}__{self.metric}"
        if self.grain is not None:
            return f"{self.plain}__{self.grain.value}"
        return self.plain if self.part is None else f"{self.plain}__{_PART_PREFIX}{self.part.value}"


def parse_reference(word: str, grains: CustomGrains) -> Reference:
    """Return the reference that `word` names, plain or as a call; QueryError if it cannot be one."""
    if "(" in word:
        return parse_call(word, grains)
    if not _NAME.fullmatch(word):
        raise QueryError(f"'{word}' is not a name. A group-by reads metric_time__week, creator or creator__tier.")
    parts = word.split("__")
    grain: AnyGrain | None = None
    part = None
    if len(parts) > 1:
        last = parts[-1].lower()
        if last in _GRAINS or last in grains:
            grain = _GRAINS.get(last) or grains[last]
            parts.pop()
        elif last.startswith(_PART_PREFIX):
            part = _parse_part(last.removeprefix(_PART_PREFIX))
            parts.pop()
        elif len(parts) == 2 and parts[0] == METRIC_TIME:
            raise QueryError(explain_unknown("grain", parts[1], [*_GRAINS, *grains]))
    return Reference(tuple(EntityName(name) for name in parts[:-1]), parts[-1], grain, part)


def parse_call(call: str, grains: CustomGrains) -> Reference:
    """Return the reference that a call such as TimeDimension('metric_time', 'week') names."""
    if len(call) > _MOST_CHARACTERS or not _CALL.fullmatch(call):
        raise _refuse_call(call)
    try:
        tree = ast.parse(call.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # The last two are Python's words for what is nested too deeply.
        raise _refuse_call(call) from None
    said: dict[str, AnyGrain | DatePart] = {}
    while isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute):
        if tree.func.attr == "grain":
            said["grain"] = _parse_grain(_read_words(tree, call, ("grain",))["grain"], grains)
        elif tree.func.attr == "date_part":
            said["part"] = _parse_part(_read_words(tree, call, ("part",))["part"])
        else:
            raise QueryError(f"'.{tree.func.attr}(…)' is not there; .grain('week') and .date_part('month') are.")
        tree = tree.func.value
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise _refuse_call(call)
    word = tree.func.id
    if word not in CALL_WORDS:
        raise QueryError(explain_unknown("word", word, CALL_WORDS))
    if word == "Metric":
        return _parse_metric_call(tree, call, grains)
    keys = ("name", "grain", "entity_path", "part") if word == "TimeDimension" else ("name", "entity_path")
    words = _read_words(tree, call, keys, {"time_granularity_name": "grain", "date_part_name": "part"})
    if not _NAME.fullmatch(words["name"]):
        raise _refuse_call(call)
    reference = parse_reference(words["name"], grains)
    if reference.grain is not None:
        raise QueryError(
            f"'{call.strip()}': the grain is not part of the name there. "
            f"Write TimeDimension('{reference.plain}', '{reference.grain.value}')."
        )
    if "grain" in words:
        said["grain"] = _parse_grain(words["grain"], grains)
    if "part" in words:
        said["part"] = _parse_part(words["part"])
    path = tuple(EntityName(name) for name in words.get("entity_path", "").split(",") if name)
    return replace(reference, links=(*path, *reference.links), **said)  # type: ignore[arg-type]


def parse_order(word: str, grains: CustomGrains) -> tuple[str, bool]:
    """Return (name, is descending) of `-name`, or of MetricFlow's call with .descending(True)."""
    if "(" not in word:
        return word.removeprefix("-"), word.startswith("-")
    match = _DESCENDING.fullmatch(word.strip())
    assert match is not None
    call, is_descending = match["call"], match["flag"] == "True"
    metric = _METRIC_CALL.fullmatch(call)
    return (metric["name"] if metric else parse_call(call, grains).name), is_descending


def find_key_time(times: tuple[Reference, ...]) -> Grain | None:
    """Return the grain of the one time from which all the others follow; None if there is none."""
    plain = [group.grain for group in times if isinstance(group.grain, Grain)]
    if not plain:
        return None
    finest = Grain.finest(tuple(plain))
    for group in times:
        needed = group.part.coarsest_grain if group.part is not None else base_of(group.grain or finest)
        if needed is not finest and (finest is Grain.WEEK or needed.is_finer_than(finest)):
            return None
    return finest


def order_of_times(reference: Reference) -> tuple[bool, bool, int]:
    """Return what times are sorted by, the finest standard grain first."""
    grain = reference.grain
    place = list(Grain).index(base_of(grain)) if grain is not None else 0
    return reference.part is not None, isinstance(grain, CustomGrain), place


def _parse_metric_call(tree: ast.Call, call: str, grains: CustomGrains) -> Reference:
    words = _read_words(tree, call, ("name", "group_by"))
    group_by = [name for name in words.get("group_by", "").split(",") if name]
    if len(group_by) != 1:
        raise QueryError(f"'{call.strip()}': a metric in a filter is by one entity. Write Metric('m', group_by=['e']).")
    entity = parse_reference(group_by[0], grains)
    if entity.grain is not None or entity.part is not None:
        raise QueryError(f"'{call.strip()}': '{group_by[0]}' is not an entity.")
    return replace(entity, metric=words["name"])


def _parse_grain(word: str, grains: CustomGrains) -> AnyGrain:
    found = _GRAINS.get(word.lower()) or grains.get(word.lower())
    if found is None:
        raise QueryError(explain_unknown("grain", word, [*_GRAINS, *grains]))
    return found


def _parse_part(word: str) -> DatePart:
    if word.lower() not in _PARTS:
        raise QueryError(explain_unknown("date part", word, _PARTS))
    return _PARTS[word.lower()]


def _read_words(call: ast.Call, text: str, keys: tuple[str, ...], renamed: Mapping[str, str] = {}) -> dict[str, str]:
    """Return the arguments by key, each a quoted word; a list of words becomes one, with commas."""
    given: dict[str, ast.expr] = dict(zip(keys, call.args, strict=False))
    for keyword in call.keywords:
        key = renamed.get(keyword.arg or "", keyword.arg or "")
        if key not in keys or key in given:
            raise QueryError(f"'{text}': the argument '{keyword.arg}' is not there.")
        given[key] = keyword.value
    words = {key: _read_word(value) for key, value in given.items()}
    if len(call.args) > len(keys) or keys[0] not in words or None in words.values():
        several = "one name" if len(keys) == 1 else "a name and a grain" if "grain" in keys else "names"
        raise QueryError(f"'{text}' takes {several}, in quotes.")
    return {key: word for key, word in words.items() if word is not None}


def _read_word(value: ast.expr) -> str | None:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    if isinstance(value, ast.List | ast.Tuple):
        words = [_read_word(item) for item in value.elts]
        return ",".join(word for word in words if word is not None) if None not in words else None
    return None


def _refuse_call(call: str) -> QueryError:
    return QueryError(f"'{shorten(call)}' is not a reference such as Dimension('creator__tier').")
