#!/usr/bin/env bash
# Guess: a session of Gemini CLI lasts as long as its settings say for all (30 days by default), however often it was
# resumed; a program that keeps its id can resume it tomorrow.
#
# Seen with @google/gemini-cli 0.61.0: a resume within the minute in which the session began goes on in its file. One in a
# later minute works, too, and leaves a second file, named by the new minute, that holds the first message alone; what was
# said goes into the first file. The start of the next session, whichever, deletes both files without a word, and the id
# is refused ("Invalid session identifier") from then on. A session that was never resumed stays. With
# `general.sessionRetention.enabled: false` both files stay, and the session can be resumed.
set -euo pipefail
folder=$(mktemp -d)
cleanup() { [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"; }
trap cleanup EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent @google/gemini-cli@0.61.0
cat > model.mjs <<'JS'
import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';

const answer = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Done.' }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 2, totalTokenCount: 12 },
};
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    const text = JSON.stringify(answer);
    if (request.url.includes('stream')) {
      response.setHeader('content-type', 'text/event-stream').end(`data: ${text}\n\n`);
    } else response.setHeader('content-type', 'application/json').end(text);
  });
});
server.listen(0, '127.0.0.1', () => writeFileSync('port', `${server.address().port}`));
setTimeout(() => process.exit(), 300_000);
JS
node model.mjs &
server=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
mkdir -p home/.gemini project
cat > home/.gemini/settings.json <<'JSON'
{"security": {"auth": {"selectedType": "gemini-api-key"}}}
JSON
export GEMINI_CLI_HOME="$folder/home" GEMINI_API_KEY=none GOOGLE_GEMINI_BASE_URL="http://127.0.0.1:$(cat port)"
export GEMINI_CLI_NO_RELAUNCH=true
ask() {
  (cd project && echo hello | timeout 120 ../node_modules/.bin/gemini --output-format=stream-json --skip-trust \
    --model=gemini-2.5-flash "$@" 2>&1) || true
}
chats() { find home/.gemini/tmp -name "session-*-$1*" | wc -l; }
expect() { [ "$2" = "$3" ] || { echo "changed: $1: $2 instead of $3"; exit 1; }; }
status() { grep -o '"status":"success"\|Invalid session identifier' <<<"$1" | head -n 1; }

plain=22222222-2222-4222-8222-222222222222
resumed=11111111-1111-4111-8111-111111111111
ask "--session-id=$plain" >/dev/null
ask "--session-id=$resumed" >/dev/null
# Into the next minute, which the file's name holds.
sleep $((61 - 10#$(date +%S)))
expect 'the resume' "$(status "$(ask "--resume=$resumed")")" '"status":"success"'
expect 'files of the resumed session' "$(chats 11111111)" 2
ask --session-id=33333333-3333-4333-8333-333333333333 >/dev/null
expect 'files of the resumed session, after another began' "$(chats 11111111)" 0
expect 'files of the session that was not resumed' "$(chats 22222222)" 1
expect 'a second resume' "$(status "$(ask "--resume=$resumed")")" 'Invalid session identifier'

echo '{"security": {"auth": {"selectedType": "gemini-api-key"}}, "general": {"sessionRetention": {"enabled": false}}}' \
  > home/.gemini/settings.json
ask "--resume=$plain" >/dev/null
ask --session-id=44444444-4444-4444-8444-444444444444 >/dev/null
expect 'files without retention' "$(chats 22222222)" 2
expect 'a resume without retention' "$(status "$(ask "--resume=$plain")")" '"status":"success"'
echo 'as seen: @google/gemini-cli 0.61.0'
