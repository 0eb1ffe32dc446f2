#!/usr/bin/env bash
# Guess: every ed25519 key pair that ssh2's `utils.generateKeyPairSync` returns can be read by ssh2's `utils.parseKey`, and
# serves as a host key.
#
# Seen with ssh2 1.17.0: one pair of about 256 can't: "Malformed OpenSSH private key", from `parseKey` and from
# `new Server({ hostKeys })`. They are the pairs whose public key begins with a zero byte. The generator takes the public
# key out of a DER bit string and removes all leading zeros where only the first byte (the count of unused bits) is not
# part of the key, so that the written key has 31 bytes in place of 32. The line for `authorized_keys` is as short, and
# can't be read either. A test that makes a host key at each start fails now and then, which looks like load.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent ssh2@1.17.0
cat > try.mjs <<'JS'
import assert from 'node:assert/strict';
import ssh2 from 'ssh2';

const { generateKeyPairSync, parseKey } = ssh2.utils;
/** Bytes of the public key in a line `ssh-ed25519 <base64>`: behind the two lengths and the name. */
const sizeOf = (line) => Buffer.from(line.split(' ')[1], 'base64').length - 4 - 'ssh-ed25519'.length - 4;

// That none of so many begins with a zero has a chance of less than one in six million.
let unreadable = 0;
let made = 0;
for (; made < 4_000; made++) {
  const { private: key, public: line } = generateKeyPairSync('ed25519');
  const parsed = parseKey(key);
  const isShort = sizeOf(line) < 32;
  assert.equal(parsed instanceof Error, isShort);
  if (!isShort) continue;
  unreadable++;
  assert.equal(parsed.message, 'Malformed OpenSSH private key');
  assert.ok(parseKey(line) instanceof Error);
  assert.throws(() => new ssh2.Server({ hostKeys: [key] }), /Malformed OpenSSH private key/);
}
console.log(`${unreadable} of ${made} key pairs can't be read`);
assert.ok(unreadable > 0 && unreadable < 100);
JS
timeout 120 node try.mjs
echo 'As described.'
