"""Data Docs of one batch: a page per table drawn by Great Expectations, made to open without a network.

Its page template loads styles, scripts and pictures from hosts of others. Those parts are taken
out and one small style sheet is put in. Imported only by the process that runs the suites.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_OUTSIDE = (
    re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<link\b[^>]*>", re.IGNORECASE),
    re.compile(r"<img\b[^>]*>", re.IGNORECASE),
    re.compile(r"<footer\b.*?</footer>", re.DOTALL | re.IGNORECASE),
    re.compile(r"url\(\s*['\"]?https?:[^)]*\)", re.IGNORECASE),
)
# Links of its own site, which has other folders than this one.
_ELSEWHERE = re.compile(r'<a href="\.\./[^"]*"[^>]*>(.*?)</a>', re.DOTALL)
_STYLE = Path(__file__).with_name("data_docs.css")


def write_docs(folder: Path, title: str, results: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write FOLDER/index.html and FOLDER/TABLE.html for each table."""
    folder.mkdir(parents=True, exist_ok=True)
    style = _STYLE.read_text(encoding="utf-8")
    for name, items in results.items():
        (folder / f"{name}.html").write_text(_draw_table(name, items, style), encoding="utf-8")
    (folder / "index.html").write_text(_draw_index(title, results, style), encoding="utf-8")


def _draw_table(name: str, items: Sequence[Mapping[str, Any]], style: str) -> str:
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    passed = sum(bool(item["success"]) for item in items)
    results = [
        ExpectationValidationResult(
            success=item["success"],
            expectation_config=ExpectationConfiguration(
                type=item["kind"], kwargs=dict(item["arguments"]), meta={"rule": item["rule"]}
            ),
            result=_write_result(item),
            exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
        )
        for item in items
    ]
    statistics = {
        "evaluated_expectations": len(items),
        "successful_expectations": passed,
        "unsuccessful_expectations": len(items) - passed,
        "success_percent": 100 * passed / len(items),
    }
    result = ExpectationSuiteValidationResult(
        success=passed == len(items),
        results=results,
        suite_name=name,
        statistics=statistics,
        meta={"active_batch_definition": {"data_asset_name": name}, "run_id": {"run_name": name, "run_time": ""}},
    )
    document = ValidationResultsPageRenderer().render(result)
    page = str(DefaultJinjaPageView().render(document, show_how_to_buttons=False))  # type: ignore[no-untyped-call]
    return close_to_network(page, style)


def close_to_network(page: str, style: str) -> str:
    """Return `page` without anything that it would load from elsewhere, and with `style`."""
    for pattern in _OUTSIDE:
        page = pattern.sub("", page)
    page = _ELSEWHERE.sub(r"\1", page)
    back = '<p class="back"><a href="index.html">All tables</a></p>'
    page = page.replace("<body>", f"<body>{back}", 1)
    return page.replace("</head>", f"<style>{style}</style></head>", 1)


def _write_result(item: Mapping[str, Any]) -> dict[str, Any]:
    if item["unexpected_count"] is None:
        return {}
    elements, unexpected = item["element_count"] or 0, item["unexpected_count"]
    missing = item["missing_count"] or 0
    asked = elements - missing
    return {
        "element_count": elements,
        "missing_count": missing,
        "missing_percent": 100 * missing / elements if elements else 0.0,
        "unexpected_count": unexpected,
        "unexpected_percent": 100 * unexpected / asked if asked else 0.0,
        "unexpected_percent_total": 100 * unexpected / elements if elements else 0.0,
        "partial_unexpected_list": item["examples"],
    }


def _draw_index(title: str, results: Mapping[str, Sequence[Mapping[str, Any]]], style: str) -> str:
    rows = []
    for name, items in results.items():
        failed = sum(not item["success"] for item in items)
        count = max((item["element_count"] or 0 for item in items if item["column"]), default=0)
        word = "ok" if not failed else f"{failed} failed"
        mark = "good" if not failed else "bad"
        rows.append(
            f'<tr><td><a href="{name}.html">{name}</a></td><td class="number">{count:,}</td>'
            f'<td class="number">{len(items)}</td><td class="{mark}">{word}</td></tr>'
        )
    head = "<tr><th>table</th><th>rows</th><th>expectations</th><th>outcome</th></tr>"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="UTF-8"><title>{html.escape(title)}</title>'
        f"<style>{style}</style></head><body><main><h1>{html.escape(title)}</h1>"
        f'<table class="index">{head}{"".join(rows)}</table></main></body></html>\n'
    )
