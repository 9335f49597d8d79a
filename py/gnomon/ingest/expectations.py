"""What is expected of a batch beyond the contract, read from expectations.yml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, cast

from sqlglot import exp

from gnomon.core.contract import Column, Contract, Table, read_contract
from gnomon.core.errors import DefinitionError, explain_unknown
from gnomon.core.names import TableName
from gnomon.core.yaml_lines import Lines, Place, read_yaml
from gnomon.ingest.content_rules import Rule, list_rules, name_column

DEFAULT_FILE = Path(__file__).with_name("expectations.yml")
_FORMS = ("at_least", "at_most", "not_before", "not_below", "at_most_by")
_KEYS = ("name", "table", "column", "why", *_FORMS)
_NUMBERS = ("BIGINT", "DOUBLE", "DECIMAL(18,2)")
_TYPES = {"not_before": ("TIMESTAMP",)}


@dataclass(frozen=True)
class Expectation:
    """A rule on the rows of one table; exactly one of the forms is set."""

    name: str
    table: TableName
    column: str
    why: str
    at_least: float | None = None
    at_most: float | None = None
    not_before: str | None = None
    not_below: str | None = None
    at_most_by: tuple[str, Mapping[str, float]] | None = None

    @property
    def other_column(self) -> str | None:
        """Return the column that this one is compared with, if there is one."""
        return self.not_before or self.not_below

    def to_rule(self) -> Rule:
        """Return the same rule as the condition that a row breaks."""
        broken, problem = self._describe()
        return Rule(self.name, self.column, broken, problem, self.why)

    def _describe(self) -> tuple[exp.Expr, str]:
        column = name_column(self.column)
        if self.at_least is not None:
            return exp.LT(this=column, expression=_number(self.at_least)), f"a value below {self.at_least:,g}"
        if self.at_most is not None:
            return exp.GT(this=column, expression=_number(self.at_most)), f"a value above {self.at_most:,.10g}"
        if self.other_column is not None:
            word = "before" if self.not_before else "below"
            return exp.LT(this=column, expression=name_column(self.other_column)), f"a value {word} {self.other_column}"
        by, limits = cast(tuple[str, Mapping[str, float]], self.at_most_by)
        chosen = exp.Case(ifs=[])
        for value, limit in limits.items():
            chosen = chosen.when(
                exp.EQ(this=name_column(by), expression=exp.Literal.string(value)),
                exp.GT(this=column, expression=_number(limit)),
            )
        return chosen.else_(exp.true()), f"a value above the greatest of its {by}, or a {by} without one"


@dataclass(frozen=True)
class HistoryRule:
    """How a batch is compared with earlier ones; `width` is in robust standard deviations."""

    weeks: int
    minimum: int
    width: float
    settled_after_days: int


@dataclass(frozen=True)
class Policy:
    """All that is expected beyond the contract: limits of failing rows, history, rules on rows."""

    default_limit: float
    history: HistoryRule
    expectations: tuple[Expectation, ...]
    limits: Mapping[str, float] = field(default_factory=dict)

    def find_limit(self, table: str) -> float:
        """Return the share of failing rows above which `table` refuses the batch."""
        return self.limits.get(table, self.default_limit)

    def list_expectations(self, table: str) -> tuple[Expectation, ...]:
        """Return the expectations on the rows of `table`."""
        return tuple(expectation for expectation in self.expectations if expectation.table == table)


def read_policy(path: Path = DEFAULT_FILE) -> Policy:
    """Return the policy in `path`; DefinitionError says file, line and what is allowed."""
    document, lines = read_yaml(path)
    top = _Reader(lines)
    body = top.mapping(document, (), ("limits", "history", "expectations"))
    limits = top.mapping(body["limits"], ("limits",), ("default", "tables"), required=("default",))
    contract = read_contract()
    tables = top.mapping(limits.get("tables", {}), ("limits", "tables"), tuple(contract.tables), required=())
    return Policy(
        default_limit=top.number(limits["default"], ("limits", "default"), high=1),
        history=_read_history(top, body["history"]),
        expectations=tuple(_read_expectations(top, body["expectations"], contract)),
        limits={name: top.number(share, ("limits", "tables", name), high=1) for name, share in tables.items()},
    )


def _read_history(reader: _Reader, value: object) -> HistoryRule:
    keys = ("weeks", "minimum", "width", "settled_after_days")
    body = reader.mapping(value, ("history",), keys)
    # Fewer than three points have no spread worth the name.
    lows = {"weeks": 1, "minimum": 3, "width": 1, "settled_after_days": 0}
    read = {key: reader.number(body[key], ("history", key), low=lows[key]) for key in keys}
    whole = {key: reader.whole(read[key], ("history", key)) for key in keys if key != "width"}
    return HistoryRule(whole["weeks"], whole["minimum"], read["width"], whole["settled_after_days"])


def _read_expectations(reader: _Reader, value: object, contract: Contract) -> Iterator[Expectation]:
    if not isinstance(value, list):
        reader.fail(("expectations",), "'expectations' must be a list. Write `- name: …` for each.")
    seen: dict[tuple[str, str], int] = {}
    for index, item in enumerate(value):
        place: Place = ("expectations", index)
        body = reader.mapping(item, place, _KEYS, required=("name", "table", "column", "why"))
        words = {key: reader.text(body[key], (*place, key)) for key in ("name", "table", "column", "why")}
        table_name = reader.known("table", words["table"], (*place, "table"), tuple(contract.tables))
        table = contract.tables[TableName(table_name)]
        of_contract = {"duplicate_key", "moved_version", "missing_reference"}
        if words["name"] in {rule.name for rule in list_rules(table)} | of_contract:
            reader.fail((*place, "name"), f"'{words['name']}' is a rule of the contract. Choose another name.")
        if (table_name, words["name"]) in seen:
            reader.fail((*place, "name"), f"'{words['name']}' is named twice for '{table_name}'. Rename one.")
        seen[table_name, words["name"]] = index
        yield _read_form(reader, body, place, table, words)


def _read_form(
    reader: _Reader, body: Mapping[str, object], place: Place, table: Table, words: Mapping[str, str]
) -> Expectation:
    forms = [form for form in _FORMS if form in body]
    if len(forms) != 1:
        reader.fail(place, f"'{words['name']}' has {len(forms)} of the forms; write exactly one: {', '.join(_FORMS)}.")
    form, at = forms[0], (*place, forms[0])
    allowed = _TYPES.get(form, _NUMBERS)
    _find_column(reader, words["column"], (*place, "column"), table, allowed)
    found: dict[str, object] = {form: None}
    if form in ("at_least", "at_most"):
        found[form] = reader.number(body[form], at, low=None)
    elif form == "at_most_by":
        inner = reader.mapping(body[form], at, ("column", "values"))
        by = reader.text(inner["column"], (*at, "column"))
        _find_column(reader, by, (*at, "column"), table, ("VARCHAR",))
        values = reader.mapping(inner["values"], (*at, "values"))
        found[form] = (by, {key: reader.number(value, (*at, "values", key)) for key, value in values.items()})
        if not values:
            reader.fail((*at, "values"), "'values' is empty. Give each value its greatest number.")
    else:
        found[form] = reader.text(body[form], at)
        _find_column(reader, str(found[form]), at, table, allowed)
    return Expectation(
        name=words["name"],
        table=table.name,
        column=words["column"],
        why=words["why"],
        **found,  # type: ignore[arg-type]
    )


def _find_column(reader: _Reader, name: str, place: Place, table: Table, types: Sequence[str]) -> Column:
    reader.known(f"column of '{table.name}'", name, place, tuple(column.name for column in table.columns))
    column = table.column(name)
    if column.duckdb_type not in types:
        reader.fail(place, f"'{table.name}.{name}' is {column.duckdb_type}; this form takes {', '.join(types)}.")
    return column


def _number(value: float) -> exp.Expr:
    return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))


@dataclass(frozen=True)
class _Reader:
    """Reads typed values out of a YAML document; every failure has its file and line."""

    lines: Lines

    def fail(self, place: Place, text: str) -> NoReturn:
        raise DefinitionError(f"{self.lines.locate(place)}: {text}")

    def known(self, kind: str, word: str, place: Place, allowed: Sequence[str]) -> str:
        if word not in allowed:
            self.fail(place, explain_unknown(kind, word, allowed))
        return word

    def mapping(
        self, value: object, place: Place, keys: Sequence[str] = (), required: Sequence[str] | None = None
    ) -> dict[str, object]:
        """Return `value` as a mapping with `keys` only (any, if none are given), all `required` ones there."""
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            self.fail(place, f"{_word_place(place)} must be a mapping with text keys. docs/validate.md shows its form.")
        for key in value if keys else ():
            self.known("key", key, (*place, key), keys)
        for key in keys if required is None else required:
            if key not in value:
                self.fail(place, f"{_word_place(place)} has no '{key}'. docs/validate.md shows its form.")
        return value

    def text(self, value: object, place: Place) -> str:
        if not isinstance(value, str) or not value.strip():
            self.fail(place, f"{_word_place(place)} must be a text, not {value!r}.")
        return value

    def number(self, value: object, place: Place, low: float | None = 0, high: float | None = None) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
        bounds = (f" from {low:g}" if low is not None else "") + (f" to {high:g}" if high is not None else "")
        if not is_number:
            self.fail(place, f"{_word_place(place)} must be a number{bounds}, not {value!r}.")
        number = cast(float, value)
        if (low is not None and number < low) or (high is not None and number > high) or abs(number) == float("inf"):
            self.fail(place, f"{_word_place(place)} must be a number{bounds}, not {value!r}.")
        return number

    def whole(self, value: float, place: Place) -> int:
        if value != int(value):
            self.fail(place, f"{_word_place(place)} must be a whole number, not {value!r}.")
        return int(value)


def _word_place(place: Place) -> str:
    return f"'{place[-1]}'" if place else "the file"
