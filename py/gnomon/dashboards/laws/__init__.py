"""The laws that every dashboard keeps, one file each; each yields its faults as texts with file and line."""

from gnomon.dashboards.laws.alerts_have_a_target import check_alerts_have_a_target
from gnomon.dashboards.laws.axes_have_one_unit import check_axes_have_one_unit
from gnomon.dashboards.laws.companions_stand_beside import check_companions_stand_beside
from gnomon.dashboards.laws.filters_reach import check_filters_reach
from gnomon.dashboards.laws.groups_are_reached import check_groups_are_reached
from gnomon.dashboards.laws.metrics_exist import check_metrics_exist
from gnomon.dashboards.laws.names_are_unique import check_names_are_unique
from gnomon.dashboards.laws.official_metrics_are_certified import check_official_metrics_are_certified
from gnomon.dashboards.laws.questions_can_be_planned import check_questions_can_be_planned
from gnomon.dashboards.laws.tiles_do_not_overlap import check_tiles_do_not_overlap

LAWS = (
    check_names_are_unique,
    check_tiles_do_not_overlap,
    check_metrics_exist,
    check_groups_are_reached,
    check_filters_reach,
    check_official_metrics_are_certified,
    check_companions_stand_beside,
    check_axes_have_one_unit,
    check_alerts_have_a_target,
    check_questions_can_be_planned,
)
