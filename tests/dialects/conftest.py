"""The engines that answers are compared on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.dialects.spark import find_missing, start_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """MetricFlow, the server and Spark log at length."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Spark, or a loud skip."""
    missing = find_missing()
    if missing is not None:
        pytest.skip(f"Spark is not there: {missing}")
    with start_spark(tmp_path_factory.mktemp("spark")) as session:
        yield session
