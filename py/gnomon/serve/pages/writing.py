"""Pages as text: templates, style, script and Vega put into one file each."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from gnomon import __version__
from gnomon.dashboards import DashboardAnswer
from gnomon.dashboards.charts import find_vega_lite
from gnomon.serve.pages.views import view_page

_VEGA = "window.vegaEmbed = vegaEmbed;"


def write_pages(answers: Sequence[DashboardAnswer]) -> Mapping[str, str]:
    """Return the files of a folder: index.html and NAME.html for each dashboard.

    Nothing in them is loaded from anywhere: the browser is told so by a content security policy, by which only
    the page's own two scripts run. Equal answers make equal files.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("gnomon.serve.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages = [view_page(answer, __version__) for answer in answers]
    script, style, vega = _read("page.js"), _read("page.css"), _bundle_vega()
    shared = {"pages": pages, "style": style, "script": script}
    policy = _write_policy
    made = {
        f"{page.name}.html": environment.get_template("dashboard.html").render(
            page=page, vega=vega, policy=policy(vega, script), **shared
        )
        for page in pages
    }
    index = environment.get_template("index.html").render(policy=policy(script), **shared)
    return {"index.html": index, **made}


def _write_policy(*scripts: str) -> str:
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _read(name: str) -> str:
    return (files("gnomon.serve.pages") / name).read_text(encoding="utf-8")


@cache
def _bundle_vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, of the version that charts are held against."""
    import vl_convert

    # In a block, its names are its own. As text of a script element it may not end that element.
    bundled: str = vl_convert.javascript_bundle(snippet=_VEGA, vl_version=find_vega_lite())
    if "</script" in bundled.lower() or "<!--" in bundled:
        raise AssertionError("the bundle of Vega cannot stand in a page")
    return f"{{{bundled}}}"
