"""A data source for Tableau (.tds) of a view: a live connection, its columns, and the ratios as calculated fields.

The elements and their order are those of Tableau's schema of workbooks (tableau-document-schemas), where a data source
has the same form.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from gnomon.publish.bi.kinds import Kind, find_kind
from gnomon.publish.bi.place import Place
from gnomon.publish.bi.tableau_formula import name_field, write_formula
from gnomon.publish.serving_copy.contents import SCHEMA
from gnomon.publish.views import Ratio, Role, View, ViewColumn
from gnomon.publish.views.wording import describe_ratio

VERSION = "18.1"
_TYPES = {
    Kind.WHOLE: "integer", Kind.REAL: "real", Kind.TEXT: "string", Kind.BOOLEAN: "boolean", Kind.DATE: "date",
    Kind.MOMENT: "datetime",
}  # fmt: skip
_RATE = "p0.0%"
# What XML has no form for, written or escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_data_source(view: View, place: Place) -> str:
    """Return the text of a view's .tds."""
    link = f"postgres.{view.name}"
    source = Xml.Element(
        "datasource",
        {"caption": view.name, "formatted-name": view.name, "inline": "true", "version": VERSION},
    )
    outer = Xml.SubElement(source, "connection", {"class": "federated"})
    named = Xml.SubElement(
        Xml.SubElement(outer, "named-connections"), "named-connection", {"caption": place.host, "name": link}
    )
    Xml.SubElement(
        named,
        "connection",
        {
            "authentication": "username-password", "class": "postgres", "dbname": place.database,
            "port": str(place.port), "schema": SCHEMA, "server": place.host, "username": "",
        },
    )  # fmt: skip
    table = f"{name_field(SCHEMA)}.{name_field(view.name)}"
    Xml.SubElement(outer, "relation", {"connection": link, "name": view.name, "table": table, "type": "table"})
    Xml.SubElement(source, "aliases", {"enabled": "yes"})
    captions = _name_captions(view)
    for column in view.columns:
        kind = find_kind(column.kind)
        if kind is not None:
            _add_column(source, column, kind, captions[column.name])
    for ratio in view.ratios:
        _add_ratio(source, view, ratio, captions[ratio.metric.name])
    Xml.indent(source, space="  ")
    return f"<?xml version='1.0' encoding='utf-8' ?>\n\n{Xml.tostring(source, encoding='unicode')}\n"


def _add_column(source: Xml.Element, column: ViewColumn, kind: Kind, caption: str) -> None:
    is_sum = column.role is Role.SUM
    ordered = kind in (Kind.DATE, Kind.MOMENT, Kind.WHOLE, Kind.REAL)
    attributes = {
        "aggregation": "Sum" if is_sum else "Year" if kind is Kind.DATE else "Count",
        "caption": caption,
        "datatype": _TYPES[kind],
        "name": name_field(column.name),
        "role": "measure" if is_sum else "dimension",
        "type": "quantitative" if is_sum else "ordinal" if ordered else "nominal",
    }
    if is_sum and column.metric is None:
        attributes["hidden"] = "true"
    _describe(Xml.SubElement(source, "column", dict(sorted(attributes.items()))), column.comment)


def _add_ratio(source: Xml.Element, view: View, ratio: Ratio, caption: str) -> None:
    metric = ratio.metric
    attributes = {
        # Its own formula says how it is aggregated.
        "aggregation": "User",
        "caption": caption,
        "datatype": "real",
        "name": name_field(metric.name),
        "role": "measure",
        "type": "quantitative",
    }
    if metric.documentation.unit == "rate":
        attributes["default-format"] = _RATE
    column = Xml.SubElement(source, "column", dict(sorted(attributes.items())))
    Xml.SubElement(column, "calculation", {"class": "tableau", "formula": write_formula(ratio.formula)})
    _describe(column, describe_ratio(metric, view.matures))


def _describe(column: Xml.Element, text: str) -> None:
    run = Xml.SubElement(Xml.SubElement(Xml.SubElement(column, "desc"), "formatted-text"), "run")
    run.text = _clean(text)


def _name_captions(view: View) -> dict[str, str]:
    """Return what each field is called to people; two fields are never called the same."""
    labels = {column.name: column.label for column in view.columns}
    labels |= {ratio.metric.name: ratio.metric.label or ratio.metric.name for ratio in view.ratios}
    captions: dict[str, str] = {}
    for name, label in labels.items():
        caption = _clean(label)
        captions[name] = caption if caption not in captions.values() else f"{caption} ({name})"
    return captions


def _clean(text: str) -> str:
    """Return a text on one line, without characters that XML has not."""
    return " ".join(_NO_XML.sub("\ufffd", text).split())
