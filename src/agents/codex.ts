import { z } from 'zod';
import type { JsonObject, ModelTokens } from '../types.ts';
import { findLogin, runEnvironment } from './environment.ts';
import {
  causeOf,
  followSession,
  numberOf,
  objectOf,
  programFolder,
  readEvent,
  textOf,
  tokensSince,
  toolCall,
  usageOf,
} from './events.ts';
import type { AgentRunner, CommonOptions, LogLine, RunIo, RunOrder } from './runner.ts';
import { byHand, runInSession, type Start, type Transcript } from './session-run.ts';
import { commonFields, modelFields } from './settings.ts';

const options = z.strictObject({
  use: z.literal('codex'),
  ...commonFields,
  ...modelFields,
  program: z.string().min(1).default('codex').describe('Codex; default: codex on the PATH.'),
  sandboxMode: z
    .enum(['read-only', 'workspace-write', 'danger-full-access'])
    .default('read-only')
    .describe('What its commands may write: nothing (the default), its folder, or everything.'),
  network: z.boolean().default(false).describe('true: commands reach the network under workspace-write.'),
});

type CodexOptions = z.output<typeof options> & CommonOptions;
type CodexOrder = RunOrder<CodexOptions>;

/** Codex takes anything else for the name of a thread, and starts a new one without a word. */
const THREAD = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Variables with keys of models: Codex needs them, the commands that it runs do not. */
const KEYS = ['CODEX_API_KEY', 'OPENAI_API_KEY'];

/** Codex without a terminal: `codex exec --json`, prompt on stdin (0.171.0). */
export const codex: AgentRunner<CodexOptions> = {
  name: 'codex',
  options,
  check: () => [],
  cannotHold: () => [
    'codex has no list of tools: `sandboxMode` bounds what its commands write, and they read what your user can read',
  ],
  facts: {
    tested: '0.171.0',
    login: (env) =>
      findLogin(env, { variables: ['CODEX_API_KEY'], folder: ['CODEX_HOME', '.codex'], file: 'auth.json' }),
    howToLogIn: '`codex login`, or CODEX_API_KEY; a provider of your own needs none',
  },
  program: ({ program }) => program,
  sessionKey: () => 'codex',
  mostUsd: ({ budgetUsd = null }) => budgetUsd,

  async start(order, io) {
    const { program } = order.options;
    const known = order.session === null || THREAD.test(order.session);
    return runInSession(known ? order : { ...order, session: null }, io, {
      title: 'Codex',
      program,
      howToGet: 'Install Codex (npm install -g @openai/codex), or correct `program` of the agent.',
      env: runEnvironment(order, { usual: ['CODEX_HOME', 'CODEX_API_KEY'] }),
      args: (resumed) => argumentsOf(order, resumed),
      lost: /no rollout found for thread id/,
      budgetUsd: order.options.budgetUsd,
      transcript: (start) => readCodex(order, io, start),
    });
  },
};

/** A resumed thread forgets its sandbox and its settings: they are given each time, before `resume`. */
function argumentsOf(
  { options: settings, environment, otherFolders }: CodexOrder,
  resumed: string | null,
): readonly string[] {
  const { sandboxMode, network, model } = settings;
  const mcp = environment.env?.HOOKCTL_MCP_URL;
  const config: readonly (readonly [string, string | boolean | readonly string[]])[] = [
    ['approval_policy', 'never'],
    ['shell_environment_policy.exclude', KEYS],
    ...(network ? [['sandbox_workspace_write.network_access', true] as const] : []),
    ...(mcp === undefined
      ? []
      : ([
          ['mcp_servers.hookctl.url', mcp],
          ['mcp_servers.hookctl.bearer_token_env_var', 'HOOKCTL_RUN_TOKEN'],
          ['mcp_servers.hookctl.default_tools_approval_mode', 'approve'],
        ] as const)),
  ];
  return [
    ...['exec', '--json', '--skip-git-repo-check', '--sandbox', sandboxMode],
    ...otherFolders.flatMap((folder) => ['--add-dir', folder]),
    ...(model === undefined ? [] : ['--model', model]),
    ...config.flatMap(([name, value]) => ['-c', `${name}=${JSON.stringify(value)}`]),
    ...(resumed === null ? [] : ['resume', resumed]),
    '-',
  ];
}

function readCodex(order: CodexOrder, io: RunIo, { log, resumed }: Start): Transcript {
  const { env, folder, meter, priceOf } = order;
  const { program, model } = order.options;
  let text = '';
  let error: string | null = null;
  let turns = 0;
  let isBusy = false;
  let isDone = false;
  let counted: readonly ModelTokens[] | null = null;
  let inThread: string | null = null;
  const readNew = followSession({
    folder: programFolder(order, 'CODEX_HOME', '.codex'),
    pattern: () => (inThread === null ? null : `sessions/*/*/*/rollout-*-${inThread}.jsonl`),
    mark: '"token_count"',
    take({ payload }) {
      const usage = objectOf(objectOf(payload).info).total_token_usage;
      if (usage !== undefined) counted = [tokensOf(objectOf(usage), model ?? null)];
    },
  });
  const since = (tokens: readonly ModelTokens[]) => tokensSince(resumed === null ? [] : meter, tokens);

  function take(event: JsonObject): void {
    const { type, thread_id: thread, usage, message } = event;
    const item = objectOf(event.item);
    if (type === 'thread.started' && typeof thread === 'string') {
      if (resumed !== null && resumed !== thread) {
        log({ kind: 'note', text: `Codex has started a new thread instead of ${resumed}` });
      }
      const home = { CODEX_HOME: env.CODEX_HOME };
      if (THREAD.test(thread)) {
        inThread = thread;
        io.session(thread, byHand(folder, home, [program, 'resume', thread]));
      }
    } else if (type === 'turn.completed') {
      turns += 1;
      isDone = true;
      counted = [tokensOf(objectOf(usage), model ?? null)];
    } else if (type === 'turn.failed') error = textOf(objectOf(event.error).message) ?? 'the turn failed';
    // Reconnecting: what ends the turn says so in `turn.failed`.
    else if (type === 'error') log({ kind: 'note', text: textOf(message) ?? 'an error' });
    else if (type === 'item.completed') {
      isBusy ||= item.type !== 'error';
      if (item.type === 'agent_message') text = textOf(item.text) ?? text;
      log(lineOf(item));
    }
  }

  return {
    line(line, stream) {
      const event = stream === 'stdout' ? readEvent(line) : null;
      if (event !== null) take(event);
      return event !== null;
    },
    async spent() {
      await readNew();
      return resumed !== null && meter.length === 0 ? [] : since(counted ?? []);
    },
    async outcome() {
      if (!isDone) await readNew();
      const tokens = since(counted ?? []);
      const nothing = error !== null && !isBusy ? 0 : null;
      const costUsd = tokens.length === 0 ? nothing : priceOf(tokens);
      const usage = usageOf(tokens, { costUsd, turns: turns === 0 ? null : turns });
      if (error !== null) return { failed: true, text: error, cause: causeOf(error), usage };
      return counted === null ? null : { failed: !isDone, text: isDone ? text : '', usage, meter: counted };
    },
  };
}

/** Of the whole thread, also in a run that resumed it. */
function tokensOf(usage: JsonObject, model: string | null): ModelTokens {
  const count = (name: string) => numberOf(usage[name]) ?? 0;
  const [cached, cacheWrite] = [count('cached_input_tokens'), count('cache_write_input_tokens')];
  const input = Math.max(0, count('input_tokens') - cached - cacheWrite);
  return { model, input, cached, cacheWrite, output: count('output_tokens') };
}

function lineOf(item: JsonObject): LogLine {
  const { type, command, server, tool, arguments: input, changes, message, text } = item;
  switch (type) {
    case 'agent_message':
      return { kind: 'said', text: textOf(text) ?? '' };
    case 'command_execution':
      return { kind: 'did', text: toolCall('ran', command) };
    case 'file_change':
      return { kind: 'did', text: toolCall('changed', changes) };
    case 'mcp_tool_call':
      return { kind: 'did', text: toolCall(`${textOf(server)}.${textOf(tool)}`, input) };
    case 'error':
      return { kind: 'note', text: textOf(message) ?? 'a warning' };
    default:
      return { kind: 'did', text: toolCall(type, text) };
  }
}
