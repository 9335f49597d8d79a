"""Room 3: dashboards as code, made of metrics by name. They are handed an engine and never import one."""

from gnomon.dashboards.checking import Checked, check_dashboards, load_dashboards
from gnomon.dashboards.model import Dashboard, Tab, Tile

__all__ = ["Checked", "Dashboard", "Tab", "Tile", "check_dashboards", "load_dashboards"]
