// Cube's configuration for this model. What a data model cannot say stands here: who is asking, and which questions
// are refused, because Cube's answer would be another number than Gnomon's.

const { not_by: notBy, running, views } = require('./refusals.json');

function refuse(why) {
  throw Object.assign(new Error(why), { type: 'UserError' });
}

function listFiltered(filters) {
  return (filters || []).flatMap((each) => (
    each.and || each.or ? listFiltered(each.and || each.or) : [each.member || each.dimension]
  ));
}

function refuseOthers(query) {
  const measures = query.measures || [];
  const attributes = [
    ...(query.dimensions || []),
    ...(query.timeDimensions || []).map(({ dimension }) => dimension),
    ...(query.segments || []),
    ...listFiltered(query.filters),
  ];
  const members = [...measures, ...attributes];
  if (members.some((each) => typeof each !== 'string') || query.subqueryJoins?.length || query.joinHints?.length) {
    refuse('Expressions and joins are not asked for here, only metrics and attributes by their names.');
  }
  if (query.ungrouped) {
    refuse('Single rows are not asked for here: group by something.');
  }
  if (query.timezone !== 'UTC') {
    refuse(`Days are those of UTC, so '${query.timezone}' would move rows to other days. Leave the time zone out.`);
  }
  const asked = [...new Set(members.map((each) => each.split('.')[0]))];
  const unknown = asked.filter((each) => !views.includes(each));
  if (unknown.length > 0) {
    refuse(`'${unknown[0]}' is no view of this model.`);
  }
  if (asked.length > 1) {
    refuse(`'${asked.join("' and '")}' are views of different rows or times. Ask each by itself.`);
  }
  const total = members.find((each) => running.includes(each));
  const times = query.timeDimensions || [];
  const metricTime = `${asked[0]}.metric_time`;
  const isByPeriod = times.some(({ granularity }) => granularity)
    && times.every(({ dimension }) => dimension === metricTime)
    && !listFiltered(query.filters).includes(metricTime);
  if (total && !isByPeriod) {
    refuse(`'${total}' is of all rows to the end of each period. Ask it by a granularity of metric_time, in a dateRange.`);
  }
  for (const metric of members.filter((each) => each in notBy)) {
    const reasons = notBy[metric];
    const attribute = attributes
      .map((each) => each.split('.')[1].replace(/^only__/, ''))
      .find((each) => each in reasons);
    if (attribute) {
      refuse(`'${metric}' is not asked by '${attribute}': it ${reasons[attribute]}.`);
    }
  }
  return query;
}

module.exports = {
  telemetry: false,
  // A token says the role of access.yml that it stands for. Without one nothing is seen.
  contextToGroups: ({ securityContext }) => (
    typeof securityContext?.gnomon_role === 'string' ? [securityContext.gnomon_role] : []
  ),
  queryRewrite: refuseOthers,
};
