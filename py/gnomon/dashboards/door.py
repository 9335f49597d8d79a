"""The engine as far as dashboards know it: whoever asks hands one in, and no room of the same line is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from gnomon.access import Policy
from gnomon.measurement import Interval
from gnomon.planner import Condition, Plan
from gnomon.semantic import Manifest
from gnomon.semantic.model import Metric

if TYPE_CHECKING:
    import pyarrow as pa


class Provenance(Protocol):
    """Where an answer comes from, and why values of it are missing."""

    @property
    def nulls(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def notes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def definition_version(self) -> str: ...  # noqa: D102
    @property
    def raw_set_id(self) -> str | None: ...  # noqa: D102


class Answer(Protocol):
    """Rows, with what stands behind each value."""

    @property
    def table(self) -> pa.Table: ...  # noqa: D102
    @property
    def units(self) -> Mapping[str, pa.ChunkedArray]: ...  # noqa: D102
    @property
    def intervals(self) -> Mapping[str, tuple[Interval | None, ...]]: ...  # noqa: D102
    @property
    def metrics(self) -> tuple[Metric, ...]: ...  # noqa: D102
    @property
    def provenance(self) -> Provenance: ...  # noqa: D102


class Door(Protocol):
    """`gnomon.Engine`."""

    @property
    def manifest(self) -> Manifest: ...  # noqa: D102
    @property
    def as_of(self) -> datetime | None: ...  # noqa: D102
    @property
    def data_version(self) -> str: ...  # noqa: D102
    @property
    def generation_id(self) -> str | None: ...  # noqa: D102

    def find_policy(self, role: str) -> Policy: ...  # noqa: D102

    def dimensions_of(self, name: str) -> list[str]: ...  # noqa: D102

    def query(  # noqa: D102
        self,
        metrics: Sequence[str] = (),
        group_by: Sequence[str] = (),
        where: Sequence[str | Condition] = (),
        order_by: Sequence[str] = (),
        *,
        start: date | None = None,
        end: date | None = None,
        policy: str | None = None,
        top: int | None = None,
    ) -> Answer: ...

    def plan(  # noqa: D102
        self,
        metrics: Sequence[str] = (),
        group_by: Sequence[str] = (),
        where: Sequence[str | Condition] = (),
        order_by: Sequence[str] = (),
        *,
        start: date | None = None,
        end: date | None = None,
        policy: str | None = None,
        top: int | None = None,
    ) -> Plan: ...
