// A backend that remembers every whole request. `GET /seen` tells them as JSON, bodies as hexadecimal digits. Prints its port.
'use strict';

const http = require('http');

const seen = [];

const server = http.createServer((request, response) => {
  if (request.url === '/seen') {
    response.end(JSON.stringify(seen));
    return;
  }
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    const body = Buffer.concat(pieces).toString('hex');
    seen.push({ method: request.method, target: request.url, body });
    response.end('ok');
  });
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
