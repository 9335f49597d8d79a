// Cube's own server over an exported folder, the one that it is started in: its cube.js, its model, the environment.
// Cube's command would ask for a newer Node.js than its code needs, so the server is started as that command does.
'use strict';

require('./stand_in');

const addOn = require('@cubejs-backend/native/index.node');
const { ServerContainer } = require('@cubejs-backend/server/dist/src/server/container');

// As the add-on does: what the asker does not see in the model is not written.
const { getFinalQueryResult } = addOn;
addOn.getFinalQueryResult = async (how, written, result) => {
  for (const alias of JSON.parse(Buffer.from(written).toString()).members) {
    const name = how.aliasToMemberNameMap[alias];
    if (!(name in how.annotation)) {
      throw new Error(`You requested hidden member: '${alias}'. Please make it visible using \`shown: true\`.`);
    }
  }
  return getFinalQueryResult(how, written, result);
};

new ServerContainer({ debug: false }).start();
