"""The client of the HTTP API: the same questions as `Engine.query`, answered by another machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from gnomon.core.errors import AccessError, DefinitionError, GnomonError, QueryError, StoppedError, WarehouseError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from gnomon.engine import Condition

_ARROW_KEY = b"gnomon"
_ERRORS: Mapping[str, type[GnomonError]] = {
    "caller": AccessError,
    "access": AccessError,
    "busy": AccessError,
    "stopped": StoppedError,
    "definition": DefinitionError,
    "outside": WarehouseError,
}
Moment = date | datetime | str | None


@dataclass(frozen=True)
class Answer:
    """Rows, and what is to be known of them: intervals and units row by row, and their provenance."""

    table: pa.Table
    intervals: Mapping[str, Sequence[tuple[float, float] | None]]
    units: Mapping[str, Sequence[float | None]]
    provenance: Mapping[str, Any]

    def to_arrow(self) -> pa.Table:
        """Return the rows as an Arrow table."""
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas frame."""
        return self.table.to_pandas()

    def to_polars(self) -> Any:
        """Return the rows as a Polars frame; WarehouseError where Polars is not installed."""
        try:
            import polars  # type: ignore[import-not-found, unused-ignore]
        except ImportError:
            raise WarehouseError("Polars is not installed here: `pip install polars`.") from None
        return polars.from_arrow(self.table)


class Client:
    """Asks one API. It raises what `Engine` would: QueryError, AccessError, DefinitionError, WarehouseError."""

    def __init__(self, url: str, key: str | None = None, timeout: float = 60.0) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = timeout

    def query(
        self,
        metrics: Sequence[str] = (),
        group_by: Sequence[str] = (),
        where: Sequence[str | Condition] = (),
        order_by: Sequence[str] = (),
        limit: int | None = None,
        start: Moment = None,
        end: Moment = None,
        saved_query: str | None = None,
        top: int | None = None,
        time_zone: str | None = None,
    ) -> Answer:
        """Return all rows of the answer, as `Engine.query` gives them; the role is the key's."""
        import pyarrow as pa

        question: dict[str, Any] = {
            "metrics": _list(metrics),
            "group_by": _list(group_by),
            "where": [_write_condition(each) for each in _list(where)],
            "order_by": _list(order_by),
            "limit": limit,
            "start": _write_moment(start),
            "end": _write_moment(end),
            "saved_query": saved_query,
            "top": top,
            "time_zone": time_zone,
        }
        pages: list[pa.Table] = []
        told: list[dict[str, Any]] = []
        cursor = None
        while not pages or cursor:
            body = {**question, "format": "arrow", "page_size": self._page_size, "cursor": cursor}
            page = pa.ipc.open_stream(self._send("/v1/query", body)).read_all()
            told.append(json.loads(page.schema.metadata[_ARROW_KEY]))
            pages.append(page.replace_schema_metadata(None))
            cursor = told[-1]["next_cursor"]
        return Answer(
            table=pa.concat_tables(pages),
            intervals={
                name: [tuple(pair) if pair else None for one in told for pair in one["intervals"][name]]
                for name in told[0]["intervals"]
            },
            units={name: [count for one in told for count in one["units"][name]] for name in told[0]["units"]},
            provenance=told[0]["provenance"],
        )

    # Answers larger than one may be come in pages of this size, all of one version of the data.
    _page_size = 50_000

    def list_metrics(self) -> list[dict[str, Any]]:
        """Return the metrics that may be asked for."""
        return list(json.loads(self._send("/v1/metrics")))

    def describe_metric(self, name: str) -> dict[str, Any]:
        """Return a metric's whole definition."""
        return dict(json.loads(self._send(f"/v1/metrics/{quote(name, safe='')}")))

    def list_values(self, name: str, search: str | None = None, limit: int = 100) -> list[Any]:
        """Return the values that an attribute takes, in order."""
        words = {"limit": limit} | ({"search": search} if search else {})
        return list(json.loads(self._send(f"/v1/values/{quote(name, safe='')}?{urlencode(words)}"))["values"])

    def _send(self, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": "application/json"}
        request = Request(self._url + path, data=data, headers=headers)
        try:
            with urlopen(request, timeout=self._timeout) as response:
                return bytes(response.read())
        except HTTPError as error:
            raise _read_refusal(error) from None
        except (URLError, OSError) as error:
            raise WarehouseError(f"{self._url}: cannot be reached: {error}. `gnomon serve` starts it.") from None


def connect(url: str, key: str | None = None, timeout: float = 60.0) -> Client:
    """Return a client of the API at `url`; `timeout` is in seconds. QueryError if that is no address of one."""
    if not url.startswith(("http://", "https://")):
        raise QueryError(f"'{url}' is not the address of an API. Write http://HOST:PORT.")
    return Client(url, key, timeout)


def _read_refusal(error: HTTPError) -> GnomonError:
    try:
        refusal = json.loads(error.read())
        return _ERRORS.get(refusal["kind"], QueryError)(refusal["text"])
    except (ValueError, KeyError, TypeError):
        return WarehouseError(f"{error.url}: {error.code} {error.reason}; that is no answer of Gnomon's.")


def _list(words: Any) -> list[Any]:
    return [words] if isinstance(words, str) or is_dataclass(words) else list(words)


def _write_condition(condition: Any) -> Any:
    if isinstance(condition, str):
        return condition
    told = asdict(condition)
    return {"field": told["field"], "op": told["operator"], "value": told["value"]}


def _write_moment(moment: Moment) -> str | None:
    return moment if moment is None or isinstance(moment, str) else moment.isoformat()
