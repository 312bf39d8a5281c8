#!/usr/bin/env node
'use strict';

// Ends with 0 if Redis Commander responds; Redis has a health check of its own.

const http = require('http');

const request = http.get('http://127.0.0.1:8081/healthcheck', { timeout: 4000 }, (response) => {
  process.exit(response.statusCode === 200 ? 0 : 1);
});
request.on('timeout', () => request.destroy(new Error('no response in 4 s')));
request.on('error', (error) => {
  console.log(`redis-commander: ${error.message}`);
  process.exit(1);
});
