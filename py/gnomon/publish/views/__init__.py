"""Views of what adds up, for tools that add up by themselves: what each holds, and what none can."""

from gnomon.publish.views.building import build_views
from gnomon.publish.views.model import LeftOut, Ratio, Role, View, ViewColumn, Views

__all__ = ["LeftOut", "Ratio", "Role", "View", "ViewColumn", "Views", "build_views"]
