"""The bodies of the API: what a question may hold, and what answers look like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gnomon.engine import Condition

Word = Annotated[str, Field(max_length=1_000)]
FilterText = Annotated[str, Field(max_length=10_000)]
Scalar = Annotated[str, Field(max_length=10_000)] | int | float | bool
_MOST_WORDS = 100
_EXAMPLE: dict[str, Any] = {
    "metrics": ["low_quality_content_rate", "creator_violation_rate"],
    "group_by": ["metric_time__month"],
    "where": [{"field": "creator__region", "op": "in", "value": ["ID", "TH"]}],
    "order_by": ["-metric_time__month"],
    "limit": 10,
}


_ANSWER_EXAMPLE: dict[str, Any] = {
    "columns": ["creator__region", "low_quality_content_rate", "is_suppressed"],
    "rows": [
        {"creator__region": "ID", "low_quality_content_rate": 0.0412, "is_suppressed": False},
        {"creator__region": "TH", "low_quality_content_rate": None, "is_suppressed": True},
        {"creator__region": "VN", "low_quality_content_rate": None, "is_suppressed": True},
    ],
    "intervals": {"low_quality_content_rate": [[0.0331, 0.0512], None, None]},
    "units": {"low_quality_content_rate": [412, None, None]},
    "provenance": {
        "definition_version": "5a1f0c3e9b7d",
        "data_version": "g0007-20260630T000000-8a50c7d1",
        "generation": "g0007-20260630T000000-8a50c7d1",
        "rollups": [],
        "is_exact": True,
        "raw_set_id": "sample",
        "as_of": "2026-06-30 00:00:00",
        "nulls": {
            "low_quality_content_rate": "2 of 3 rows are hidden: they stand on fewer than 10 of 'creator', or would "
            "give such a row away"
        },
        "notes": [],
        "suppressed": {"rows": 2, "least": 10, "units": ["creator"]},
    },
    "next_cursor": None,
}
_HEALTH_EXAMPLE: dict[str, Any] = {
    "is_ready": True,
    "data_version": "g0007-20260630T000000-8a50c7d1",
    "is_behind": False,
    "withdrawn_rollups": ["reviews_daily"],
}


class ConditionBody(BaseModel):
    """A filter in parts: a name (a time with its grain), an operator, and the value that it takes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    field: Word
    op: Annotated[str, Field(max_length=20)]
    value: Scalar | list[Scalar] | None = None

    def to_condition(self) -> Condition:
        """Return the engine's form of it."""
        return Condition(self.field, self.op, tuple(self.value) if isinstance(self.value, list) else self.value)


class _Words(BaseModel):
    """What every form of a question holds, in MetricFlow's names; filters are each form's own."""

    metrics: Annotated[list[Word], Field(max_length=_MOST_WORDS)] = []
    group_by: Annotated[list[Word], Field(max_length=_MOST_WORDS)] = []
    order_by: Annotated[list[Word], Field(max_length=_MOST_WORDS)] = []
    limit: Annotated[int, Field(ge=0, le=10**9)] | None = None
    start: Annotated[str, Field(max_length=40)] | None = None
    end: Annotated[str, Field(max_length=40)] | None = None
    saved_query: Word | None = None
    top: Annotated[int, Field(ge=0, le=10**6)] | None = None
    time_zone: Word | None = None


class _Form(BaseModel):
    """How an answer is written, and which page of it."""

    format: Literal["json", "csv", "arrow"] = "json"
    page_size: Annotated[int, Field(ge=1, le=10**6)] | None = None
    cursor: Annotated[str, Field(max_length=500)] | None = None


class PlanQuestion(_Words):
    """A question."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [_EXAMPLE]})

    where: Annotated[list[FilterText | ConditionBody], Field(max_length=_MOST_WORDS)] = []

    def to_arguments(self) -> dict[str, Any]:
        """Return the arguments of Engine.plan."""
        told = {name: getattr(self, name) for name in _Words.model_fields}
        told["where"] = [each if isinstance(each, str) else each.to_condition() for each in self.where]
        return told


class QueryQuestion(PlanQuestion, _Form):
    """A question, and the form of its answer."""


class PlanAddress(_Words):
    """A question in an address, `?metrics=gmv&group_by=metric_time__day`; its filters are texts."""

    model_config = ConfigDict(extra="forbid")

    where: Annotated[list[FilterText], Field(max_length=_MOST_WORDS)] = []

    def to_question(self) -> PlanQuestion:
        """Return the question."""
        return PlanQuestion(**self.model_dump())


class QueryAddress(PlanAddress, _Form):
    """A question in an address, and the form of its answer."""

    def to_question(self) -> QueryQuestion:
        """Return the question."""
        return QueryQuestion(**self.model_dump())


class SuppressedBody(BaseModel):
    """How many rows are hidden, so that nothing stands on fewer than `least` of these units."""

    rows: int
    least: int
    units: list[str]


class ProvenanceBody(BaseModel):
    """Where an answer comes from."""

    definition_version: str
    data_version: str | None
    generation: str | None
    rollups: list[str]
    is_exact: bool
    raw_set_id: str | None
    as_of: str | None
    nulls: dict[str, str]
    notes: list[str]
    # None where the asker's role sees small cells.
    suppressed: SuppressedBody | None


class AnswerBody(BaseModel):
    """Rows in the order asked for, with intervals and units row by row.

    Where small cells are hidden a last column, `is_suppressed`, is true in the rows without values.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_ANSWER_EXAMPLE]})

    columns: list[str]
    rows: list[dict[str, Any]]
    intervals: dict[str, list[list[float] | None]]
    units: dict[str, list[int | float | None]]
    provenance: ProvenanceBody
    next_cursor: str | None = None


class PlanBody(BaseModel):
    """How a question would be answered."""

    sql: str
    rollups: list[str]
    why: list[str]


class RefusalBody(BaseModel):
    """Why there is no answer: the kind, and what is wrong and what to do in words."""

    kind: Literal["question", "access", "caller", "busy", "too_large", "stopped", "changed", "outside", "definition"]
    text: str


class ValuesBody(BaseModel):
    """The values that an attribute takes, in order."""

    name: str
    values: list[Any]


class NamesBody(BaseModel):
    """Names that can be asked by."""

    names: list[str]


class SavedQueryBody(BaseModel):
    """A question with a name."""

    name: str
    metrics: list[str]
    group_by: list[str]
    where: list[str]
    order_by: list[str]
    limit: int | None


class MetricBody(BaseModel):
    """A metric in a list."""

    name: str
    description: str
    unit: str
    certification: str | None
    owner: str | None


class DefinitionBody(BaseModel):
    """A metric's whole definition."""

    model_config = ConfigDict(extra="allow")

    metric: str
    description: str


class LineageBody(BaseModel):
    """Everything that a metric is made of, down to the sources: each name with what it is made of directly."""

    metric: str
    parents: dict[str, list[str]]


class HealthBody(BaseModel):
    """Whether the program runs, and what it serves."""

    model_config = ConfigDict(json_schema_extra={"examples": [_HEALTH_EXAMPLE]})

    is_ready: bool
    data_version: str | None
    # Something newer could not be opened: the program's own log says why.
    is_behind: bool
    # These answered otherwise than their tables and are read no more; the program's own log says to what question.
    withdrawn_rollups: list[str]
