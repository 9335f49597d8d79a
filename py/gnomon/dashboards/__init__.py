"""Room 3: dashboards as code, made of metrics by name. They are handed an engine and never import one."""

from gnomon.dashboards.answers import DashboardAnswer, TileAnswer
from gnomon.dashboards.asking import Asking
from gnomon.dashboards.checking import Checked, check_dashboards, load_dashboards
from gnomon.dashboards.choosing import choose_dashboards, read_choices
from gnomon.dashboards.model import Dashboard, Tab, Tile

__all__ = [
    "Asking",
    "Checked",
    "Dashboard",
    "DashboardAnswer",
    "Tab",
    "Tile",
    "TileAnswer",
    "check_dashboards",
    "choose_dashboards",
    "load_dashboards",
    "read_choices",
]
