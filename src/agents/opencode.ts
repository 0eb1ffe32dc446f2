import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { JsonObject, ModelTokens } from '../types.ts';
import { findLogin, runEnvironment } from './environment.ts';
import { causeOf, numberOf, objectOf, readEvent, textOf, toolCall, usageOf } from './events.ts';
import type { AgentRunner, CommonOptions, RunOrder } from './runner.ts';
import { byHand, overBudget, runInSession, type Start, type Transcript } from './session-run.ts';
import { commonFields, modelFields } from './settings.ts';

/** `ask` is left out: a run has no user to ask, and would end there with status 0. */
const decision = z.enum(['allow', 'deny']);

const options = z.strictObject({
  use: z.literal('opencode'),
  ...commonFields,
  ...modelFields,
  program: z.string().min(1).default('opencode').describe('OpenCode; default: opencode on the PATH.'),
  permission: z
    .record(z.string().min(1), z.union([decision, z.record(z.string().min(1), decision)]))
    .default({ read: 'allow', glob: 'allow', grep: 'allow', list: 'allow' })
    .describe(
      'What it may use: { edit: allow, bash: { "npm test*": allow } }; all else is denied. Default: reading.',
    ),
});

type OpencodeOptions = z.output<typeof options> & CommonOptions;
type OpencodeOrder = RunOrder<OpencodeOptions>;

/** Where OpenCode keeps its sessions and finds its configuration. */
const OPENCODE_VARIABLES = ['XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME', 'OPENCODE_API_KEY'];

/** OpenCode without a terminal: `opencode run --format json`, prompt on stdin (1.18.33). */
export const opencode: AgentRunner<OpencodeOptions> = {
  name: 'opencode',
  options,
  check: () => [],
  facts: {
    tested: '1.18.33',
    login: (env) =>
      findLogin(env, {
        variables: ['OPENCODE_API_KEY'],
        folder: ['XDG_DATA_HOME', '.local/share'],
        file: 'opencode/auth.json',
      }),
    howToLogIn: '`opencode auth login`; a provider of your own needs none',
  },
  program: ({ program }) => program,
  sessionKey: () => 'opencode',
  mostUsd: ({ budgetUsd = null }) => budgetUsd,

  async start(order, io) {
    const { program, model } = order.options;
    const { env } = order;
    return runInSession(order, io, {
      title: 'OpenCode',
      program,
      howToGet: 'Install OpenCode (npm install -g opencode-ai), or correct `program` of the agent.',
      env: runEnvironment(order, { usual: OPENCODE_VARIABLES, own: await environmentOf(order) }),
      args: (resumed) => [
        ...['run', '--format', 'json'],
        ...(model === undefined ? [] : ['--model', model]),
        ...(resumed === null ? [] : ['--session', resumed]),
      ],
      lost: /Session not found/,
      transcript: (start) =>
        readOpencode(order, start, (id) => {
          const data = { XDG_DATA_HOME: env.XDG_DATA_HOME };
          io.session(id, byHand(order.folder, data, [program, '--session', id]));
        }),
    });
  },
};

/** Permissions, and hookctl's tools by a file that only the run's user reads: it holds the run's token. */
async function environmentOf({ options: { permission }, environment, scratch }: OpencodeOrder) {
  const { HOOKCTL_MCP_URL: url, HOOKCTL_RUN_TOKEN: token } = environment.env ?? {};
  const headers = { Authorization: `Bearer ${token}` };
  const mcp = url === undefined ? {} : { mcp: { hookctl: { type: 'remote', url, headers, oauth: false } } };
  const file = join(scratch, 'opencode.json');
  await writeFile(file, JSON.stringify({ share: 'disabled', autoupdate: false, ...mcp }), { mode: 0o600 });
  // The last rule that fits counts. What would be asked for ends the run, so that it has to be denied by name.
  const closed = { '*': 'deny', external_directory: 'deny', doom_loop: 'deny', question: 'deny' };
  const own = url === undefined ? {} : { 'hookctl_*': 'allow' };
  return {
    OPENCODE_CONFIG: file,
    OPENCODE_PERMISSION: JSON.stringify({ ...closed, ...own, ...permission }),
    OPENCODE_DISABLE_AUTOUPDATE: '1',
  };
}

function readOpencode(
  order: OpencodeOrder,
  { log, stop }: Start,
  inSession: (id: string) => void,
): Transcript {
  const { model = null, budgetUsd } = order.options;
  const denials: string[] = [];
  let session: string | null = null;
  let said: string[] = [];
  let reason: string | null = null;
  let error: { readonly text: string; readonly status: number | null } | null = null;
  const steps: { readonly cost: number; readonly tokens: ModelTokens }[] = [];

  /** OpenCode counts models of which it knows no price as free. */
  function costUsd(): number | null {
    const tokens = steps.map((step) => step.tokens);
    const cost = steps.reduce((sum, step) => sum + step.cost, 0);
    return cost > 0 || tokens.length === 0 ? cost : order.priceOf(tokens);
  }

  function takePart({ type, text, tool, state, reason: why, cost, tokens }: JsonObject): void {
    if (type === 'step-start') said = [];
    else if (type === 'text') {
      said.push(textOf(text) ?? '');
      log({ kind: 'said', text: textOf(text) ?? '' });
    } else if (type === 'tool') {
      const { status, input, error: failed } = objectOf(state);
      const call = toolCall(tool, input);
      log({ kind: 'did', text: call });
      if (status === 'error' && /permission|reject|rule/i.test(textOf(failed) ?? '')) denials.push(call);
    } else if (type === 'step-finish') {
      reason = textOf(why);
      steps.push({ cost: numberOf(cost) ?? 0, tokens: tokensOf(objectOf(tokens), model) });
      const spent = costUsd() ?? 0;
      if (budgetUsd !== undefined && spent > budgetUsd) {
        stop(overBudget(spent, budgetUsd));
      }
    }
  }

  return {
    line(line, stream) {
      const event = stream === 'stdout' ? readEvent(line) : null;
      if (event === null) return false;
      const { type, sessionID: id } = event;
      if (typeof id === 'string' && id !== session) {
        session = id;
        inSession(id);
      }
      if (type === 'error') error = errorOf(objectOf(event.error));
      else takePart(objectOf(event.part));
      return true;
    },
    outcome() {
      const usage = usageOf(
        steps.map(({ tokens }) => tokens),
        { costUsd: costUsd(), turns: steps.length === 0 ? null : steps.length },
      );
      const done = { usage, denials };
      if (error !== null) {
        return { failed: true, text: error.text, cause: causeOf(error.text, error.status), ...done };
      }
      const text = said.join('\n\n');
      // A permission that would be asked for is rejected, and the run ends there with status 0.
      if (reason === 'tool-calls' && text === '') {
        const what = denials.at(-1) ?? 'what it asked for';
        return { failed: true, text: `OpenCode was not allowed: ${what}`, cause: 'refused', ...done };
      }
      return steps.length === 0 ? null : { failed: false, text, ...done };
    },
  };
}

function errorOf({ name, data }: JsonObject): { readonly text: string; readonly status: number | null } {
  const { message, statusCode } = objectOf(data);
  const status = numberOf(statusCode);
  const text = [textOf(name), status, textOf(message)].filter((part) => part !== null).join(' ');
  return { text, status };
}

/** `input` is without the cached tokens; what was thought is in `total` alone, with some models. */
function tokensOf(tokens: JsonObject, model: string | null): ModelTokens {
  const count = (value: JsonObject, name: string) => numberOf(value[name]) ?? 0;
  const cache = objectOf(tokens.cache);
  const [input, cached, cacheWrite] = [count(tokens, 'input'), count(cache, 'read'), count(cache, 'write')];
  const written = count(tokens, 'output') + count(tokens, 'reasoning');
  return { model, input, cached, cacheWrite, output: written };
}
