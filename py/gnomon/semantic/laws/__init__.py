"""The laws that every manifest keeps, one file each; each returns its faults as sentences."""

from gnomon.semantic.laws.inputs_exist import check_inputs_exist
from gnomon.semantic.laws.measures_have_one_home import check_measures_have_one_home
from gnomon.semantic.laws.measures_have_time import check_measures_have_time
from gnomon.semantic.laws.metrics_are_acyclic import check_metrics_are_acyclic
from gnomon.semantic.laws.replicates_are_counted import check_replicates_are_counted
from gnomon.semantic.laws.simple_metrics_have_a_measure import check_simple_metrics_have_a_measure
from gnomon.semantic.laws.windows_are_known import check_windows_are_known

# In this order: a law may rely on those before it only to say something more useful.
LAWS = (
    check_simple_metrics_have_a_measure,
    check_inputs_exist,
    check_metrics_are_acyclic,
    check_measures_have_one_home,
    check_measures_have_time,
    check_windows_are_known,
    check_replicates_are_counted,
)
