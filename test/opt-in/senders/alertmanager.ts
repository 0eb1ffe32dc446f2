import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programIn, unpackDebian } from './install.ts';
import { freePort, type SenderProgram, type Stage, TOKEN, until } from './kit.ts';

export const alertmanager: SenderProgram = {
  name: 'alertmanager',
  commands: [
    {
      trigger: 'alert.firing',
      conditions: { 'labels.severity': 'critical' },
      template: 'Fix {{@event.title}}',
    },
    { trigger: 'alert.resolved', template: 'Report on {{labels.instance}}' },
  ],
  async run(stage) {
    const root = await unpackDebian(stage.folder, ['prometheus-alertmanager']);
    const address = await startAlertmanager(stage, root);
    const critical = alert({ alertname: 'HighErrorRate', severity: 'critical', instance: 'web-1' });
    const warning = alert({ alertname: 'SlowDisk', severity: 'warning', instance: 'web-2' });
    await post(`${address}/api/v2/alerts`, [critical, warning]);
    await until('the first task', () => stage.titles().length === 1);
    // As long as it fires, Alertmanager sends the group again, which is no news.
    const some = (wanted: string) => stage.deliveries().some(({ status }) => status === wanted);
    await until('a group that was sent again', () => some('duplicate'));
    await post(`${address}/api/v2/alerts`, [{ ...critical, endsAt: new Date().toISOString() }]);
    await until('the task of the resolved alert', () => stage.titles().length === 2);
    assert.deepEqual(stage.titles(), ['Fix web-1 answers with errors', 'Report on web-1']);
    const rows = stage.deliveries();
    const believed = rows.filter(({ status }) => status !== 'rejected');
    assert.deepEqual([...new Set(believed.map(({ trust }) => trust))], ['verified']);
    assert.deepEqual(
      believed.filter(({ status }) => !['processed', 'ignored', 'duplicate'].includes(status)),
      [],
    );
    const settled = believed.filter(({ status }) => status !== 'duplicate');
    assert.deepEqual([...new Set(settled.map(({ event_type }) => event_type))].toSorted(), [
      'alert.firing',
      'alert.resolved',
    ]);
    assert.equal(new Set(settled.map(({ external_id }) => external_id)).size, 2, 'one id for each alert');
    const refused = rows.filter(({ status }) => status === 'rejected');
    assert.deepEqual(
      [...new Set(refused.map(({ reason }) => reason))],
      ['the token is no secret of the webhook'],
    );
  },
};

/** Debian's build opens its templates below /usr/share, over which a mount of its own lays the unpacked ones. */
const WITH_TEMPLATES = 'mount -t overlay -o "lowerdir=$0/usr/share:/usr/share" none /usr/share && exec "$@"';

/** Two receivers: one with the token, one with another. Groups are sent again after some seconds. */
async function startAlertmanager(stage: Stage, root: string): Promise<string> {
  const receiver = (name: string, token: string) => [
    `  - name: ${name}`,
    '    webhook_configs:',
    `      - url: ${stage.url}`,
    `        http_config: { authorization: { credentials: ${token} } }`,
  ];
  const config = [
    'route:',
    '  receiver: hookctl',
    '  group_by: [instance]',
    '  group_wait: 1s',
    '  group_interval: 1s',
    '  repeat_interval: 3s',
    '  routes: [{ receiver: stranger, continue: true }, { receiver: hookctl }]',
    'receivers:',
    ...receiver('hookctl', TOKEN),
    ...receiver('stranger', 'another-token'),
  ];
  const file = join(stage.folder, 'alertmanager.yml');
  writeFileSync(file, `${config.join('\n')}\n`);
  const address = `127.0.0.1:${await freePort()}`;
  stage.start('unshare', [
    ...['--map-root-user', '--mount', 'sh', '-c', WITH_TEMPLATES, root],
    programIn(root, 'usr/bin/prometheus-alertmanager'),
    `--config.file=${file}`,
    `--storage.path=${join(stage.folder, 'alerts')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ]);
  await until('Alertmanager', async () => (await fetch(`http://${address}/-/ready`)).ok);
  return `http://${address}`;
}

function alert(labels: Readonly<Record<string, string>>) {
  return { labels, annotations: { summary: `${labels.instance} answers with errors` } };
}

async function post(url: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(response.status, 200, await response.text());
}
