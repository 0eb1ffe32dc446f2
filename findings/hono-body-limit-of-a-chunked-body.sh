#!/usr/bin/env bash
# Guess: hono's `bodyLimit` under @hono/node-server answers a small chunked request as it answers one with a
# Content-Length, whether or not the adapter replaces the global Request and Response.
#
# Seen with hono 4.13.19 and @hono/node-server 2.1.9: with `overrideGlobalObjects: false` every chunked request, also one
# of two bytes, ends in a TypeError ("Cannot read private member #state …" on Node 24, "Cannot read properties of undefined
# (reading 'window')" on Node 20), which hono answers 500. With a Content-Length, or with the globals replaced, both are
# answered 200. `bodyLimit` makes a new Request of the counted stream only where the length is not declared; the
# adapter's own Request is no object that the platform's constructor can take. Once any listener of the process has
# replaced the globals, the fault is gone for all of them, so that it hides from a test that tries both in turn.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent hono@4.13.19 @hono/node-server@2.1.9
cat > try.mjs <<'JS'
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';

const overrideGlobalObjects = process.argv[2] === 'replaced';
const app = new Hono()
  .use('*', bodyLimit({ maxSize: 1_000 }))
  .post('/', async (context) => context.json(await context.req.json()));
app.onError((error, context) => context.text(`${error.name}: ${error.message}`, 500));
const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects }));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

function post(headers) {
  return new Promise((resolve, reject) => {
    const options = { port: server.address().port, host: '127.0.0.1', method: 'POST', headers };
    const sent = request(options, async (response) => {
      let text = '';
      for await (const part of response) text += part;
      resolve({ status: response.statusCode, text });
    });
    sent.on('error', reject).end('{}');
  });
}

const declared = await post({ 'content-length': '2' });
const chunked = await post({ 'transfer-encoding': 'chunked' });
server.close();
server.closeAllConnections();
console.log(process.argv[2], 'with a length', declared.status, 'chunked', chunked.status, chunked.text);
assert.equal(declared.status, 200);
assert.equal(chunked.status, overrideGlobalObjects ? 200 : 500);
if (!overrideGlobalObjects) assert.match(chunked.text, /^TypeError: Cannot read/);
JS
timeout 60 node try.mjs kept
timeout 60 node try.mjs replaced
echo 'As described.'
