// Cube over the model in the working folder: `node server.js`, with NODE_PATH and Cube's own environment.
// It prints its port once it listens, and what the stand-in took once it is told to end.
'use strict';

const { spent } = require('./stand_in');
const { CubejsServer } = require('@cubejs-backend/server');

const server = new CubejsServer({
  schemaPath: 'model',
  telemetry: false,
  scheduledRefreshTimer: false,
  checkAuth: () => {},
  logger: () => {},
});
server.listen().then(({ port }) => console.log(JSON.stringify({ port })));
process.on('SIGTERM', () => {
  console.log(JSON.stringify(spent));
  process.exit(0);
});
