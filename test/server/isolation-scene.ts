import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scope } from '../../src/server/access/caller.ts';
import { openStore } from '../../src/store/local/index.ts';
import type { Connection } from '../../src/types.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { tellJson } from '../support/in-process.ts';
import { type Asked, ask, bearer, JSON_TYPE } from '../support/management.ts';
import { startProviderApis } from '../support/provider-apis.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { readStore, type Server, serverForFile, settled } from '../support/server.ts';

/** In every text of the other owner, and the other owner's name. */
export const MARK = 'zqevemark';
export const ADA = 'ada';

/** The issue that both owners hear of. */
const SHARED = 7;

/** One of each kind of thing of an owner. */
export interface Things {
  readonly delivery: string;
  readonly task: string;
  readonly waiting: string;
  readonly flow: string;
  readonly externalId: string;
  readonly conversation: string;
  readonly run: string;
  readonly item: string;
  readonly webhook: string;
  readonly webhookName: string;
  readonly command: string;
  readonly connection: string;
  readonly token: string;
}

export interface Side {
  readonly owner: string;
  /** With the scope admin. */
  readonly token: string;
  readonly things: Things;
}

export interface Scene {
  readonly sandbox: Sandbox;
  readonly server: Server;
  readonly ada: Side;
  readonly eve: Side;
  /** A token of ada with these scopes alone, the same for the same scopes. */
  tokenFor(...scopes: readonly Scope[]): Promise<{ readonly id: string; readonly token: string }>;
  /** A request with a token. */
  as(token: string, method: string, path: string, body?: object): Promise<Asked>;
  /** More of the other owner: deliveries, tasks, runs and posts. Resolves when all is done. */
  moreOfEve(): Promise<void>;
  /** Everything that may not be shown to ada: the mark, and the ids of the other owner's things. */
  secrets(): readonly string[];
  /** All rows of the other owner, and that owner's webhooks. */
  rowsOfEve(): string;
}

/** A server with two owners who heard of the same issue, whose agents worked, and whose replies were posted. */
export async function isolationScene(): Promise<Scene> {
  const apis = await startProviderApis();
  const sandbox = await sandboxForFile({
    env: { GITHUB_TOKEN: 't' },
    files: {
      'webhooks.yml': [
        `credentials: { github: { tokenEnv: GITHUB_TOKEN, baseUrl: "${apis.url}" } }`,
        `agents: { quick: { use: command, program: ${process.execPath}, args: ["-e", "process.stdin.pipe(process.stdout)"] } }`,
        'schedules: { nightly: { cron: "0 3 * * *", prompt: look, agent: idle } }',
      ].join('\n'),
    },
  });
  const connections: Readonly<Record<string, string>> = { [ADA]: newId('con'), [MARK]: newId('con') };
  const server = await serverForFile(sandbox);
  const as: Scene['as'] = (token, method, path, body) => {
    const rawHeaders = ['host', `127.0.0.1:${server.managementPort}`, ...bearer(token), ...JSON_TYPE];
    return ask(server, method, path, { rawHeaders, ...(body !== undefined && { body }) });
  };

  async function side(owner: string, word: string): Promise<Side> {
    const flags = ['--owner', owner, '--scope', 'admin', '--name', `${word} laptop`];
    const { id: tokenId, token } = await tellJson<{ id: string; token: string }>(
      sandbox,
      'token',
      'create',
      ...flags,
    );
    const secret = `${word}-secret-${randomUUID()}`;
    const made = await as(token, 'POST', '/api/webhooks', {
      ...{ provider: 'github', name: `${word} hook`, secret, target_agent: 'quick', labels: [word] },
      default_command: 'work',
      commands: [
        { name: 'work', target_agent: 'quick', aliases: [word] },
        { name: 'wait', target_agent: 'idle', requires_approval: true },
      ],
    });
    if (made.status !== 201) throw new Error(made.text);
    const webhook = JSON.parse(made.text) as {
      webhook_id: string;
      endpoint: string;
      commands: { id: string }[];
    };
    const post = async (text: string, issue: number) => {
      const user = { id: 583231, login: word, type: 'User' };
      const payload = comment(`@agent ${text} ${word}`, { issue, title: `${word} title`, user });
      const { id } = await signedPost(server.url, payload, { secret, path: webhook.endpoint });
      await settled(sandbox, id);
      return id;
    };
    const delivery = await post('work', SHARED);
    await post('work', word.length + 100);
    await post('wait', SHARED);
    return eventually('what the owner has', () =>
      readStore(sandbox, (store) => {
        const tasks = store.tasks({ owner });
        const task = tasks.find((each) => each.deliveryId === delivery);
        const waiting = tasks.find(({ status }) => status === 'waiting_approval');
        const run = task === undefined ? undefined : store.runsOfTask(task.id)[0];
        const item = store.outbox({ owner })[0];
        const isDone = tasks.filter(({ status }) => status === 'completed').length === 2;
        if (!isDone || task === undefined || waiting === undefined || item === undefined) return null;
        if (run === undefined || store.outbox({ owner }).some(({ status }) => status === 'waiting'))
          return null;
        const things: Things = {
          ...{ delivery, task: task.id, waiting: waiting.id, flow: task.flowId, externalId: task.externalId },
          ...{ conversation: task.conversationId, run: run.id, item: item.id },
          ...{ webhook: webhook.webhook_id, webhookName: `${word} hook` },
          ...{ command: webhook.commands[0]?.id ?? '', connection: connections[owner] ?? '', token: tokenId },
        };
        return { owner, token, things };
      }),
    );
  }

  const ada = await side(ADA, ADA);
  const eve = await side(MARK, MARK);
  await server.stop();
  const store = await openStore({ path: join(sandbox.dataFolder, 'hookctl.db') });
  for (const { things, owner } of [ada, eve]) await store.addConnection(connectionOf(things, owner));
  await store.close();
  const again = await serverForFile(sandbox);
  // It looks at the hooks once when it starts.
  await eventually('a look at the hooks', () =>
    readStore(sandbox, (reader) => reader.connections().every(({ checkedAt }) => checkedAt !== null)),
  );
  return withServer(sandbox, again, { ada, eve });
}

function withServer(
  sandbox: Sandbox,
  server: Server,
  { ada, eve }: { readonly ada: Side; readonly eve: Side },
): Scene {
  const as: Scene['as'] = (token, method, path, body) => {
    const rawHeaders = ['host', `127.0.0.1:${server.managementPort}`, ...bearer(token), ...JSON_TYPE];
    return ask(server, method, path, { rawHeaders, ...(body !== undefined && { body }) });
  };
  const owner = MARK;
  const tokens = new Map<string, ReturnType<Scene['tokenFor']>>();
  let secrets: readonly string[] | null = null;
  return {
    ...{ sandbox, server, ada, eve, as },
    tokenFor(...scopes) {
      const words = scopes.toSorted().join(' ');
      const made = tokens.get(words) ?? tokenOf(sandbox, ADA, scopes);
      tokens.set(words, made);
      return made;
    },
    async moreOfEve() {
      secrets = null;
      const made = await as(eve.token, 'POST', '/api/tasks', { prompt: `${MARK} more`, agent: 'quick' });
      const { id } = JSON.parse(made.text) as { id: string };
      const again = await as(eve.token, 'POST', `/api/deliveries/${eve.things.delivery}/replay`, {
        replies: true,
      });
      if (again.status !== 201) throw new Error(again.text);
      await eventually('more of the other owner', () =>
        readStore(sandbox, (store) => {
          const isOpen = store
            .tasks({ owner })
            .some(({ status }) => status === 'queued' || status === 'running');
          return (
            store.task(id)?.status === 'completed' &&
            !isOpen &&
            !store.outbox({ owner }).some((it) => it.status === 'waiting')
          );
        }),
      );
    },
    secrets: () =>
      (secrets ??= [
        MARK,
        ...idsOf(sandbox, owner),
        ...Object.values(eve.things).filter((it) => /^[a-z]+-/.test(it)),
      ]),
    rowsOfEve() {
      const { webhooks } = JSON.parse(readFileSync(join(sandbox.dataFolder, 'webhooks.json'), 'utf8'));
      const rows = readStore(sandbox, (store) => [
        ...[store.deliveries({ owner }), store.tasks({ owner }), store.outbox({ owner })],
        ...[
          store.flows({ owner }),
          store.conversations({ owner }),
          store.connection(eve.things.connection)?.target,
        ],
      ]);
      const own = webhooks.filter((webhook: { owner?: string }) => webhook.owner === owner);
      return JSON.stringify([own, rows], null, 1);
    },
  };
}

/** A new token of an owner. */
export function tokenOf(
  sandbox: Sandbox,
  owner: string,
  scopes: readonly Scope[],
): Promise<{ readonly id: string; readonly token: string }> {
  const flags = scopes.flatMap((each) => ['--scope', each]);
  return tellJson(sandbox, 'token', 'create', '--owner', owner, ...flags);
}

function idsOf(sandbox: Sandbox, owner: string): readonly string[] {
  return readStore(sandbox, (store) =>
    [
      ...[
        store.deliveries({ owner }),
        store.tasks({ owner }),
        store.outbox({ owner }),
        store.flows({ owner }),
      ],
      ...[store.conversations({ owner }), store.tasks({ owner }).flatMap(({ id }) => store.runsOfTask(id))],
    ].flatMap((rows) => rows.map(({ id }) => id)),
  );
}

function connectionOf({ connection, webhook, webhookName }: Things, owner: string): Connection {
  return {
    ...{ id: connection, connector: 'github', webhook: webhookName, webhookId: webhook },
    ...{ kind: 'repository', target: `acme/${owner}`, apiUrl: 'http://127.0.0.1:1', remoteId: `${owner}1` },
    ...{ url: `http://127.0.0.1:1/${owner}`, events: ['issues'], fingerprint: null, isAdopted: false },
    ...{
      isPaused: false,
      problem: `${owner} problem`,
      createdAt: Date.now(),
      pointedAt: null,
      checkedAt: null,
    },
  };
}

function newId(prefix: string): string {
  return `${prefix}-${randomUUID().replaceAll('-', '').slice(0, 16)}`;
}
