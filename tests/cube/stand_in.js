// A stand-in for Cube's native add-on, which cannot be had from a package registry; see README.md.
// It says nothing to logs, renders no Jinja, and writes rows as Cube's own formatter does.
'use strict';

const fs = require('fs');
const Module = require('module');

const ADD_ON = '@cubejs-backend/native/index.node';
const spent = { calls: 0, milliseconds: 0 };

// Time, without a zone, to the millisecond.
const writeValue = (value, type) =>
  type === 'time' && typeof value === 'string' ? value.replace(' ', 'T').replace(/Z$/, '') : value;

function writeRows({ aliasToMemberNameMap, annotation, query }, written) {
  const { members, columns } = JSON.parse(Buffer.from(written).toString());
  const names = members.map((alias) => aliasToMemberNameMap[alias]);
  const types = names.map((name) => annotation[name] && annotation[name].type);
  // A time of some granularity stands under its plain name, too.
  const plain = (query.timeDimensions || [])
    .filter(({ granularity }) => granularity)
    .map(({ dimension, granularity }) => [`${dimension}.${granularity}`, dimension]);
  const count = columns.length ? columns[0].length : 0;
  const rows = new Array(count);
  for (let row = 0; row < count; row++) {
    const made = {};
    for (let place = 0; place < names.length; place++) {
      made[names[place]] = writeValue(columns[place][row], types[place]);
    }
    for (const [of, name] of plain) {
      if (!(name in made)) made[name] = made[of];
    }
    rows[row] = made;
  }
  return rows;
}

function timed(make) {
  return async (...told) => {
    const begun = process.hrtime.bigint();
    const made = Buffer.from(JSON.stringify(make(...told)));
    spent.calls += 1;
    spent.milliseconds += Number(process.hrtime.bigint() - begun) / 1e6;
    return made;
  };
}

const addOn = {
  setupLogger() {},
  resetLogger() {},
  isFallbackBuild: () => true,
  registerInterface: async () => ({}),
  shutdownInterface: async () => {},
  newJinjaEngine: () => ({
    loadTemplate() {},
    renderTemplate() {
      throw new Error('the stand-in renders no Jinja: write the model without {{ and {%');
    },
  }),
  getFinalQueryResult: timed((how, written, result) => ({ ...result, data: writeRows(how, written) })),
  getFinalQueryResultMulti: timed((how, written, result) => ({
    ...result,
    results: result.results.map((each, place) => ({ ...each, data: writeRows(how[place], written[place]) })),
  })),
};

const { existsSync } = fs;
fs.existsSync = (path) => String(path).endsWith(ADD_ON) || existsSync(path);
const load = Module._load;
Module._load = function loadOrStandIn(name, ...rest) {
  return name.endsWith(ADD_ON) ? addOn : load.call(this, name, ...rest);
};

module.exports = { spent };
