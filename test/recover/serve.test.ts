import { utimesSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { TaskView } from '../../src/views.ts';
import { eventually } from '../support/eventually.ts';
import { comment } from '../support/github.ts';
import { tell } from '../support/in-process.ts';
import { serveHere } from '../support/serve-here.ts';
import { connectedProject, lastAwake, type Project } from './serve-support.ts';

const YAML = 'webhooks: { github: { commands: [{ name: analyze }] } }\n';

const start = ({ sandbox, port }: Project, ...args: readonly string[]) =>
  serveHere(sandbox, [...args, '--port', String(port)]);
const ask = ({ log, hook }: Project, issue: number) =>
  log.send(hook, 'issue_comment', comment('@agent analyze it', { issue }));

async function tasks({ sandbox }: Project): Promise<readonly TaskView[]> {
  const { stdout } = await tell(sandbox, 'task', 'list', '--json');
  return JSON.parse(stdout);
}

test('serve says at its start what was sent while it was down, and takes in what had not arrived, once', async () => {
  const project = await connectedProject(YAML);
  const first = await start(project, '--json');
  await ask(project, 1);
  await first.stop();
  await ask(project, 2);
  await ask(project, 3);
  const at = Date.now() / 1000 - 600;
  utimesSync(lastAwake(project), at, at);

  const second = await start(project);
  const line = await eventually(
    'the line',
    () => /github acme\/api: down from .*/.exec(second.stderr())?.[0] ?? null,
  );
  expect(line).toMatch(
    /^github acme\/api: down from [\d :-]+ to [\d :-]+: 3 at GitHub, 2 had not arrived, 2 taken in \(2 sent again and verified\)$/,
  );
  await second.stop();
  expect((await tasks(project)).map(({ status, trust }) => `${status} ${trust}`)).toEqual(
    Array(3).fill('queued verified'),
  );

  const third = await start(project);
  const again = await eventually(
    'the line',
    () => /github acme\/api: down from .*/.exec(third.stderr())?.[0] ?? null,
  );
  expect(again).toMatch(/: nothing at GitHub$|0 had not arrived$/);
  await third.stop();
  const { stdout } = await tell(project.sandbox, 'status');
  expect(stdout).toMatch(/LOG OF +READ +MISSING +TAKEN IN +PROBLEM\ngithub acme\/api/);
  expect(await tasks(project)).toHaveLength(3);
});

test('`recover` without a server fetches; a dry run says what is missing; --json, --since and mistakes', async () => {
  const project = await connectedProject(YAML);
  const { sandbox } = project;
  const guid = await ask(project, 7);
  const dry = await tell(sandbox, 'recover', '--dry-run');
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toContain('1 at GitHub, 1 had not arrived\n');
  expect(dry.stdout).toContain(guid);
  expect(await tasks(project)).toEqual([]);

  const done = await tell(sandbox, 'recover', '--since', '2h');
  expect(done.stdout).toMatch(
    /^github acme\/api: since .*: 1 at GitHub, 1 had not arrived, 1 taken in \(1 fetched\)\n$/,
  );
  expect((await tasks(project)).map(({ status, trust }) => `${status} ${trust}`)).toEqual([
    'waiting_approval fetched',
  ]);
  const json = await tell(sandbox, 'recover', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    sweeps: [{ connector: 'github', missing: 0, problem: null }],
  });

  expect(await tell(sandbox, 'recover', '--since', 'soon')).toMatchObject({ code: 2 });
  const unknown = await tell(sandbox, 'recover', '--webhook', 'gitlab');
  expect(unknown).toMatchObject({ code: 4 });
  expect(unknown.stderr).toContain('Connected: github');
  const audit = await tell(sandbox, 'audit', 'list');
  expect(audit.stdout).toContain('delivery.recover');
});

test('a webhook that says `trustFetched: true` lets what was fetched run', async () => {
  const project = await connectedProject(
    'webhooks: { github: { trustFetched: true, commands: [{ name: analyze }] } }\n',
  );
  await ask(project, 8);
  expect((await tell(project.sandbox, 'recover')).code).toBe(0);
  expect((await tasks(project)).map(({ status, trust }) => `${status} ${trust}`)).toEqual(['queued fetched']);
});

test('a log that can’t be read is a problem with what to do, and the next sweep goes on where this one did', async () => {
  const project = await connectedProject(YAML);
  await ask(project, 9);
  const wrong = { ...project.sandbox, env: { ...project.sandbox.env, TOKEN: 'wrong' } };
  const failed = await tell(wrong, 'recover');
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('401');
  expect(failed.stderr).toContain('/settings/tokens');
  const server = await start(project, '--json');
  const swept = await eventually(
    'the sweep',
    () => server.lines().find((line) => line.type === 'state' && line.of === 'recovery') ?? null,
  );
  expect(swept).toMatchObject({ missing: 1, redelivered: 1, problem: null });
});
