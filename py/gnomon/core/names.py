"""Kinds of names, each a type, so that a metric is never passed for a dimension."""

from __future__ import annotations

from typing import NewType

MetricName = NewType("MetricName", str)
MeasureName = NewType("MeasureName", str)
DimensionName = NewType("DimensionName", str)
EntityName = NewType("EntityName", str)
ModelName = NewType("ModelName", str)
TableName = NewType("TableName", str)
