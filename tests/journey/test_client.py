"""The Python client against a server in another process: the engine's answers and the engine's errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import gnomon
from gnomon.core.errors import AccessError, QueryError, WarehouseError
from gnomon.engine import Condition, Engine
from gnomon.serve.client import Client
from tests.journey.conftest import Built, serve

ASKED = {"metrics": ["views", "low_quality_content_rate"], "group_by": ["metric_time__day", "creator__tier"]}


@pytest.fixture(scope="module")
def address(built_sample: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(built_sample, tmp_path_factory.mktemp("project"), "--anonymous", "owner") as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return gnomon.connect(address)


def test_the_client_answers_as_the_engine_does_page_by_page(
    client: Client, built_sample: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", str(built_sample.target))
    engine = Engine.open(tmp_path)
    order = ["metric_time__day", "creator__tier"]
    here = engine.query(**ASKED, order_by=order, where=[Condition("creator__tier", "!=", "new")])
    monkeypatch.setattr(Client, "_page_size", 100)
    there = client.query(**ASKED, order_by=order, where=[Condition("creator__tier", "!=", "new")])
    assert there.table.column_names == here.table.column_names
    assert there.table.num_rows == here.table.num_rows > 200
    assert there.table["views"].to_pylist() == here.table["views"].to_pylist()
    assert there.to_pandas().shape == (here.table.num_rows, 4)
    assert list(there.units["low_quality_content_rate"]) == here.units["low_quality_content_rate"].to_pylist()
    assert len(there.intervals["low_quality_content_rate"]) == here.table.num_rows
    assert there.provenance["data_version"] == engine.data_version
    engine.close()


def test_the_clients_errors_are_the_engines(client: Client, address: str) -> None:
    with pytest.raises(QueryError, match="Did you mean 'views'"):
        client.query("veiws")
    with pytest.raises(AccessError, match="unknown, expired or revoked"):
        gnomon.connect(address, key="gnomon_a_b").query("views")
    with pytest.raises(WarehouseError, match="cannot be reached"):
        gnomon.connect("http://127.0.0.1:9").query("views")
    with pytest.raises(QueryError, match="is not the address"):
        gnomon.connect("127.0.0.1:9")


def test_the_client_lists_metrics_and_values(client: Client) -> None:
    assert "views" in {each["name"] for each in client.list_metrics()}
    assert client.describe_metric("views")["metric"] == "views"
    assert client.list_values("creator__tier", search="old") == ["gold"]
