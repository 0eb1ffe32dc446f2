import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programIn, unpackDebian } from './install.ts';
import { runProgram, type SenderProgram, TOKEN } from './kit.ts';

/** The script of a media type, as the preset's set-up tells it. Zabbix's engine knows no `let` and no arrow functions. */
const SCRIPT = `var given = JSON.parse(value);
var text = JSON.stringify({
  event_id: given.event_id, status: given.status, severity: given.severity,
  host: given.host, name: given.name, url: given.url, at: given.at
});
var request = new HttpRequest();
request.addHeader('Content-Type: application/json');
request.addHeader('X-Zabbix-Signature: ' + hmac('sha256', given.secret, text));
request.post(given.hookctl, text);
return request.getStatus();
`;

export const zabbix: SenderProgram = {
  name: 'zabbix',
  commands: [
    { trigger: 'problem.problem', conditions: { severity: 'High' }, template: 'Fix {{@event.title}}' },
    { trigger: 'problem.resolved', template: 'Report on {{host}}' },
  ],
  async run(stage) {
    const root = await unpackDebian(stage.folder, ['zabbix-proxy-sqlite3']);
    const program = programIn(root, 'usr/bin/zabbix_js');
    const script = join(stage.folder, 'media-type.js');
    writeFileSync(script, SCRIPT);
    const send = async (secret: string, fields: Readonly<Record<string, string>>) => {
      const url = `https://zabbix.example.com/tr_events.php?eventid=${fields.event_id}`;
      const given = JSON.stringify({ secret, hookctl: stage.url, url, ...fields });
      return (await runProgram(program, ['-s', script, '-p', given], { cwd: stage.folder })).trim();
    };
    const problem = {
      event_id: '71',
      status: 'PROBLEM',
      severity: 'High',
      host: 'web-1',
      name: 'High CPU load',
      at: '12:00:00',
    };
    assert.equal(await send(TOKEN, problem), '202');
    assert.equal(await send(TOKEN, { ...problem, event_id: '72', severity: 'Warning' }), '202');
    assert.equal(await send(TOKEN, { ...problem, status: 'RESOLVED', at: '12:05:00' }), '202');
    await stage.expect(
      ['problem.problem 71', 'problem.problem 72', 'problem.resolved 71'],
      ['Fix web-1: High CPU load', 'Report on web-1'],
    );
    assert.equal(await send('another-secret', problem), '401');
  },
};
