#!/usr/bin/env node
'use strict';

// Starts Redis Commander connected to the portal's Redis. The password goes from its file into
// this process alone: on no command line, in no container setting, in no configuration file.

const fs = require('fs');
const http = require('http');
const net = require('net');

const PASSWORD_FILE = '/run/secrets/redis_password';
const HOME = '/redis-commander';

function readPassword() {
  try {
    return fs.readFileSync(PASSWORD_FILE, 'utf8').trimEnd();
  } catch (error) {
    console.error(
      `redis-commander: ${PASSWORD_FILE}: should be a file readable by user ${process.getuid()} ` +
        `(got: ${error.code}). Mount it.`
    );
    process.exit(1);
  }
}

// A web page may point a name of its own at this machine (DNS rebinding), so names are refused;
// Redis Commander has no setting for it. Its server is the only one of this process.
function isOwnHost(host = '') {
  const name = host.toLowerCase().replace(/:\d*$/, '');
  return name === 'localhost' || net.isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

const createServer = http.createServer;
http.createServer = (answer) =>
  createServer((request, response) => {
    if (isOwnHost(request.headers.host)) {
      return answer(request, response);
    }
    response.writeHead(421, { 'Content-Type': 'text/plain' });
    response.end('host: should be localhost or an address. Open Redis Commander by one of them.\n');
  });

process.env.NODE_CONFIG = JSON.stringify({
  noSave: true,
  server: { address: '0.0.0.0', port: 8081 },
  connections: [
    {
      label: 'portal',
      host: 'redis',
      port: 6379,
      dbIndex: 0,
      username: 'devtools',
      password: readPassword(),
    },
  ],
});

require(`${HOME}/bin/redis-commander.js`);
