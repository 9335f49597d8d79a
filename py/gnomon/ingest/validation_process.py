"""The process that runs suites: `python -m gnomon.ingest.validation_process ORDER ANSWER`.

Only this module imports Great Expectations, whose import takes seconds and hundreds of megabytes.
It reads rows chunk by chunk as pandas frames on Arrow types: on DuckDB the library cannot run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    import pandas as pd

CHUNK_ROWS = 100_000
SHOWN_VALUES = 10
# Kinds of which values may be shown: words and numbers, never identifiers.
_SHOWN = ("value_not_allowed", "out_of_range")


def main() -> None:
    """Run the suites of the order file; write the answer file and, if asked, Data Docs."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    order_path, answer_path = map(Path, sys.argv[1:3])
    order = json.loads(order_path.read_text(encoding="utf-8"))
    results = {table["name"]: run_table(table) for table in order["tables"]}
    if order["docs"]:
        from gnomon.ingest.data_docs import write_docs

        write_docs(Path(order["docs"]), order["title"], results)
    answer_path.write_text(json.dumps(results, default=str), encoding="utf-8")


def run_table(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one result for each item of the suite, counts added up over the chunks."""
    found: dict[int, dict[str, Any]] = {}
    for batch in ("structure", "rows"):
        items = [(index, item) for index, item in enumerate(table["suite"]) if item["batch"] == batch]
        frames = iter([_read_structure(table["types"])]) if batch == "structure" else _read_chunks(Path(table["rows"]))
        for frame in frames:
            for index, result in _run_suite(table["name"], items, frame):
                found[index] = _add(found[index], result) if index in found else result
    return [found[index] for index in sorted(found)]


def _read_structure(types: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: [kind] for name, kind in types.items()})


def _read_chunks(path: Path) -> Iterator[pd.DataFrame]:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        # A table without rows is run once too: its suite is in the docs like the others.
        empty = [file.schema_arrow.empty_table()] if file.metadata.num_rows == 0 else []
        chunks = (pa.Table.from_batches([batch]) for batch in file.iter_batches(batch_size=CHUNK_ROWS))
        for chunk in empty or chunks:
            yield chunk.to_pandas(types_mapper=pd.ArrowDtype)


def _run_suite(name: str, items: list[tuple[int, dict[str, Any]]], frame: pd.DataFrame) -> Iterator[tuple[int, Any]]:
    import great_expectations as gx
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    asset = _open_source().add_dataframe_asset(f"{name} {uuid4().hex}")
    suite = gx.ExpectationSuite(name=name)
    for index, item in items:
        meta = {"index": index, "rule": item["rule"], "column": item["column"]}
        suite.add_expectation_configuration(
            ExpectationConfiguration(type=item["kind"], kwargs=dict(item["arguments"]), meta=meta)
        )
    batch = asset.add_batch_definition_whole_dataframe("chunk").get_batch({"dataframe": frame})
    answer = batch.validate(suite, result_format={"result_format": "SUMMARY", "partial_unexpected_count": SHOWN_VALUES})
    for result in answer.results:
        document: dict[str, Any] = result.to_json_dict()
        yield document["expectation_config"]["meta"]["index"], _read_result(document)


@cache
def _open_source() -> Any:
    import great_expectations as gx

    # Opened once: a context takes longer than a suite.
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    return context.data_sources.add_pandas("raw")


def _read_result(document: dict[str, Any]) -> dict[str, Any]:
    config, result = document["expectation_config"], document["result"]
    config["kwargs"].pop("batch_id", None)
    shown = result.get("partial_unexpected_list", []) if config["meta"]["rule"] in _SHOWN else []
    raised = document["exception_info"].get("raised_exception", True)
    return {
        "rule": config["meta"]["rule"],
        "column": config["meta"]["column"],
        "kind": config["type"],
        "arguments": config["kwargs"],
        "success": bool(document["success"]),
        "element_count": result.get("element_count"),
        "missing_count": result.get("missing_count"),
        "unexpected_count": result.get("unexpected_count"),
        "examples": shown,
        "error": str(document["exception_info"]) if raised else None,
    }


def _add(sum_so_far: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    added = {
        key: None if result[key] is None else sum_so_far[key] + result[key]
        for key in ("element_count", "missing_count", "unexpected_count")
    }
    examples = list(dict.fromkeys([*sum_so_far["examples"], *result["examples"]]))[:SHOWN_VALUES]
    success, error = sum_so_far["success"] and result["success"], sum_so_far["error"] or result["error"]
    return {**result, **added, "examples": examples, "success": success, "error": error}


if __name__ == "__main__":
    main()
