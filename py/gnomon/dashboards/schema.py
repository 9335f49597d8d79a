"""The form of dashboards/*.yml, as pydantic holds it at the edge."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gnomon.dashboards.model import COLUMNS, KINDS

_STRICT = ConfigDict(extra="forbid", strict=True)
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
_Title = Annotated[str, Field(min_length=3, max_length=80)]
_Names = Annotated[list[str], Field(min_length=1)]
_Days = Annotated[int, Field(ge=1, le=1100)]
_Top = Annotated[int, Field(ge=1, le=100)]
_Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
_Grain = Literal["day", "week", "month", "quarter", "year"]


class NumberForm(BaseModel):
    """`number:` of a tile."""

    model_config = _STRICT
    metric: str
    last_days: _Days = 28
    grain: _Grain = "week"


class LineForm(BaseModel):
    """`line:` of a tile."""

    model_config = _STRICT
    metrics: _Names
    grain: _Grain = "week"
    by: str | None = None
    last_days: _Days | None = None

    @model_validator(mode="after")
    def _has_one_kind_of_series(self) -> LineForm:
        if self.by is not None and len(self.metrics) > 1:
            raise ValueError("a line is by groups or of several metrics, not both. Take out 'by' or all but one.")
        return self


class AreaForm(BaseModel):
    """`area:` of a tile."""

    model_config = _STRICT
    metric: str
    grain: _Grain = "week"
    by: str | None = None
    last_days: _Days | None = None


class BarForm(BaseModel):
    """`bar:` of a tile."""

    model_config = _STRICT
    metric: str
    by: str
    top: _Top | None = None


class TableForm(BaseModel):
    """`table:` of a tile."""

    model_config = _STRICT
    metrics: _Names
    by: _Names
    top: _Top | None = None


class FunnelForm(BaseModel):
    """`funnel:` of a tile."""

    model_config = _STRICT
    steps: Annotated[list[str], Field(min_length=2)]
    rates: _Names

    @model_validator(mode="after")
    def _has_a_rate_between_steps(self) -> FunnelForm:
        if len(self.rates) != len(self.steps) - 1:
            raise ValueError(
                f"a funnel of {len(self.steps)} steps has {len(self.steps) - 1} rates between them, "
                f"not {len(self.rates)}."
            )
        return self


class HeatMapForm(BaseModel):
    """`heat_map:` of a tile."""

    model_config = _STRICT
    metric: str
    rows: str
    columns: str


class DistributionForm(BaseModel):
    """`distribution:` of a tile."""

    model_config = _STRICT
    metric: str
    over: str


class GridForm(BaseModel):
    """`grid:` of a tile."""

    model_config = _STRICT
    column: Annotated[int, Field(ge=1, le=COLUMNS)]
    row: Annotated[int, Field(ge=1, le=500)]
    width: Annotated[int, Field(ge=1, le=COLUMNS)]
    height: Annotated[int, Field(ge=1, le=50)]

    @model_validator(mode="after")
    def _ends_on_the_grid(self) -> GridForm:
        if self.column + self.width - 1 > COLUMNS:
            raise ValueError(
                f"'grid': a tile of width {self.width} at column {self.column} ends at column "
                f"{self.column + self.width - 1}; the grid has {COLUMNS}."
            )
        return self


class AlertForm(BaseModel):
    """`alert:` of a tile."""

    model_config = _STRICT
    hour: Annotated[int, Field(ge=0, le=23)]
    to: list[_Email] = []


class SubscriptionForm(AlertForm):
    """`subscription:` of a dashboard."""

    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class TileForm(BaseModel):
    """A tile: what every kind has, and exactly one of the kinds."""

    model_config = _STRICT
    name: _Name
    title: _Title
    grid: GridForm
    number: NumberForm | None = None
    line: LineForm | None = None
    area: AreaForm | None = None
    bar: BarForm | None = None
    table: TableForm | None = None
    funnel: FunnelForm | None = None
    heat_map: HeatMapForm | None = None
    distribution: DistributionForm | None = None
    text: Annotated[str, Field(min_length=1)] | None = None
    not_filtered_by: list[str] = []
    filtered_by: dict[str, str] = {}
    alert: AlertForm | None = None

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> TileForm:
        given = [kind for kind in KINDS.values() if getattr(self, kind) is not None]
        if len(given) != 1:
            has = "none" if not given else " and ".join(f"'{kind}'" for kind in given)
            raise ValueError(
                f"tile '{self.name}' has {has} of the kinds. It has exactly one of {', '.join(KINDS.values())}."
            )
        return self


class TabForm(BaseModel):
    """A tab."""

    model_config = _STRICT
    name: _Name
    title: _Title
    tiles: Annotated[list[TileForm], Field(min_length=1)]


class FilterForm(BaseModel):
    """A filter by values; dates are always a filter."""

    model_config = _STRICT
    name: _Name
    title: _Title
    dimensions: _Names


class OwnerForm(BaseModel):
    """Who answers for the dashboard."""

    model_config = _STRICT
    name: str
    email: str


class DashboardForm(BaseModel):
    """A file of dashboards/."""

    model_config = _STRICT
    title: _Title
    why: Annotated[str, Field(min_length=10)]
    owner: OwnerForm
    official: bool
    last_days: _Days
    subscription: SubscriptionForm | None = None
    filters: list[FilterForm] = []
    tabs: Annotated[list[TabForm], Field(min_length=1)]
