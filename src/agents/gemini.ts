import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  toolCall,
  usageOf,
} from './events.ts';
import type { AgentRunner, CommonOptions, RunIo, RunOrder } from './runner.ts';
import { byHand, type Outcome, runInSession, type Start, type Transcript } from './session-run.ts';
import { commonFields, modelFields } from './settings.ts';

const options = z.strictObject({
  use: z.literal('gemini'),
  ...commonFields,
  ...modelFields,
  program: z.string().min(1).default('gemini').describe('Gemini CLI; default: gemini on the PATH.'),
  approval: z
    .enum(['default', 'auto_edit', 'yolo'])
    .default('default')
    .describe('default: it reads; auto_edit: it also writes in its folder; yolo: it uses every tool.'),
  allowedTools: z
    .array(z.string().regex(/^[A-Za-z]/, 'expected the name of a tool'))
    .default([])
    .describe('What it may use beside that, such as run_shell_command(npm test).'),
});

type GeminiOptions = z.output<typeof options> & CommonOptions;
type GeminiOrder = RunOrder<GeminiOptions>;

const GEMINI_VARIABLES = `GEMINI_API_KEY GOOGLE_API_KEY GOOGLE_GEMINI_BASE_URL GOOGLE_GENAI_USE_VERTEXAI
  GOOGLE_GENAI_USE_GCA GOOGLE_CLOUD_PROJECT GOOGLE_CLOUD_LOCATION GOOGLE_APPLICATION_CREDENTIALS
  GEMINI_CLI_HOME`.split(/\s+/);

/** Gemini CLI without a terminal: `gemini -o stream-json`, prompt on stdin (0.61.0). */
export const gemini: AgentRunner<GeminiOptions> = {
  name: 'gemini',
  options,
  check: () => [],
  facts: {
    tested: '0.61.0',
    login: (env) =>
      findLogin(env, {
        variables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_APPLICATION_CREDENTIALS'],
        folder: ['GEMINI_CLI_HOME', '.'],
        file: '.gemini/oauth_creds.json',
      }),
    howToLogIn: 'start `gemini` once, or set GEMINI_API_KEY and choose it in ~/.gemini/settings.json',
  },
  program: ({ program }) => program,
  sessionKey: () => 'gemini',
  mostUsd: ({ budgetUsd = null }) => budgetUsd,

  async start(order, io) {
    const { program, model, approval, allowedTools } = order.options;
    const home = await homeOfRun(order, io);
    return runInSession(order, io, {
      title: 'Gemini',
      program,
      howToGet: 'Install it (npm install -g @google/gemini-cli), or correct `program` of the agent.',
      // Without it the program that was started is a launcher, which lets a turn go on after SIGTERM.
      env: runEnvironment(order, {
        usual: GEMINI_VARIABLES,
        own: { GEMINI_CLI_NO_RELAUNCH: 'true', ...(home !== null && { GEMINI_CLI_HOME: home }) },
      }),
      args: (resumed) => [
        ...['--output-format=stream-json', '--skip-trust', `--approval-mode=${approval}`],
        ...(model === undefined ? [] : [`--model=${model}`]),
        ...allowedTools.map((tool) => `--allowed-tools=${tool}`),
        resumed === null ? `--session-id=${randomUUID()}` : `--resume=${resumed}`,
      ],
      lost: /Invalid session identifier/,
      budgetUsd: order.options.budgetUsd,
      transcript: (start) => readGemini(order, io, start),
    });
  },
};

/**
 * A home of the run alone: the user's `.gemini` by links, with settings that name hookctl's tools (Gemini has no option for an MCP
 * server, and reads settings of a system only from folders of root) and keep sessions: by default the start of one deletes those
 * that were once resumed (0.61.0). Null where the user's own settings cannot be read.
 */
async function homeOfRun(order: GeminiOrder, io: RunIo): Promise<string | null> {
  const { environment, scratch } = order;
  const { HOOKCTL_MCP_URL: httpUrl, HOOKCTL_RUN_TOKEN: token } = environment.env ?? {};
  const theirs = join(programFolder(order, 'GEMINI_CLI_HOME', '.'), '.gemini');
  const written = await readFile(join(theirs, 'settings.json'), 'utf8').catch(() => '{}');
  const settings = readEvent(written.replace(/\r?\n/g, ' ').trim());
  if (settings === null) {
    const why = 'is no plain JSON (comments?), so the run uses it as it is, without hookctl’s tools';
    io.log({ kind: 'note', text: `${join(theirs, 'settings.json')} ${why}` });
    return null;
  }
  const home = join(scratch, 'gemini-home');
  const own = join(home, '.gemini');
  // Sessions are in `tmp`: what is not there yet would be made in the run's own folder, and go with it.
  for (const name of ['tmp', 'history']) await mkdir(join(theirs, name), { recursive: true, mode: 0o700 });
  await mkdir(own, { recursive: true, mode: 0o700 });
  for (const name of await readdir(theirs)) {
    if (name !== 'settings.json') await symlink(join(theirs, name), join(own, name));
  }
  const hookctl = { httpUrl, headers: { Authorization: `Bearer ${token}` }, trust: true };
  const tools = httpUrl === undefined ? {} : { mcpServers: { ...objectOf(settings.mcpServers), hookctl } };
  const general = { ...objectOf(settings.general), sessionRetention: { enabled: false } };
  await writeFile(join(own, 'settings.json'), JSON.stringify({ ...settings, ...tools, general }), {
    mode: 0o600,
  });
  return home;
}

function readGemini(order: GeminiOrder, io: RunIo, { log }: Start): Transcript {
  const { folder, options: settings, priceOf } = order;
  const calls = new Map<string, string>();
  const denials: string[] = [];
  const startedAt = Date.now();
  const answers = new Map<string, ModelTokens>();
  let inSession: string | null = null;
  const readNew = followSession({
    folder: join(programFolder(order, 'GEMINI_CLI_HOME', '.'), '.gemini'),
    // A session that is resumed may have several files, and has the counts of its earlier runs, too.
    pattern: () => (inSession === null ? null : `tmp/*/chats/session-*-${inSession.slice(0, 8)}.jsonl`),
    mark: '"tokens"',
    take({ id, type, timestamp, tokens, model }) {
      if (type !== 'gemini' || Date.parse(textOf(timestamp) ?? '') < startedAt) return;
      answers.set(
        textOf(id) ?? '',
        tokensOfModel(textOf(model), objectOf(tokens), 'input', 'output', 'total'),
      );
    },
  });
  let said = '';
  let result: JsonObject | null = null;

  /** The answer comes in pieces, a line each. */
  function flush(): void {
    if (said.trim() !== '') log({ kind: 'said', text: said });
  }

  function take(event: JsonObject): void {
    const { type, role, content, session_id: session, tool_id: id, tool_name: tool } = event;
    if (type === 'init' && typeof session === 'string') {
      if (UUID.test(session)) inSession = session;
      io.session(session, byHand(folder, {}, [settings.program, '--resume', session]));
    } else if (type === 'message' && role === 'assistant') said += textOf(content) ?? '';
    else if (type === 'tool_use') {
      flush();
      said = '';
      const call = toolCall(tool, event.parameters);
      calls.set(textOf(id) ?? '', call);
      log({ kind: 'did', text: call });
    } else if (type === 'tool_result' && event.status === 'error') {
      const why = textOf(objectOf(event.error).message) ?? textOf(event.output) ?? '';
      const call = calls.get(textOf(id) ?? '') ?? 'a tool';
      log({ kind: 'note', text: `${call}: ${why}` });
      if (/denied|policy|not found/i.test(why)) denials.push(call);
    } else if (type === 'result') {
      flush();
      result = event;
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
      return [...answers.values()];
    },
    async outcome({ code, lastLines }) {
      if (result === null) {
        await readNew();
        const used = [...answers.values()];
        const ending = withoutResult(code, lastLines);
        if (used.length === 0) return ending;
        const usage = usageOf(used, { costUsd: priceOf(used), turns: null });
        return { failed: true, text: '', ...ending, usage, denials };
      }
      const tokens = tokensOf(objectOf(result.stats));
      const costUsd = tokens.length === 0 ? 0 : priceOf(tokens);
      const done = { usage: usageOf(tokens, { costUsd, turns: null }), denials };
      if (result.status === 'success') return { failed: false, text: said, ...done };
      const text = textOf(objectOf(result.error).message) ?? 'Gemini reports an error';
      return { failed: true, text, cause: causeOf(text, httpStatus(code)), ...done };
    },
  };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Statuses above 255 arrive modulo 256: 401 as 145. Null for those that gemini has meanings of its own for. */
function httpStatus(code: number | null): number | null {
  return [400, 401, 403, 404, 429, 500, 502, 503, 504, 529].find((status) => status % 256 === code) ?? null;
}

/** Statuses that it ends with before it asks a model. */
const ENDINGS: Readonly<Record<number, Pick<Outcome, 'text' | 'cause'>>> = {
  41: { text: 'no login', cause: 'no_login' },
  42: { text: 'the input was refused', cause: 'refused' },
  52: { text: 'its configuration is wrong', cause: 'failed' },
  53: { text: 'it has reached its limit of turns', cause: 'stopped' },
  55: { text: 'the folder is not trusted', cause: 'refused' },
};

function withoutResult(code: number | null, lastLines: readonly string[]): Outcome | null {
  const ending = ENDINGS[code ?? 0];
  if (ending === undefined) return null;
  const said = lastLines.filter((line) => line.trim() !== '').slice(0, 2);
  return { failed: true, ...ending, text: [`status ${code}: ${ending.text}`, ...said].join(' | ') };
}

/** By model; `total_tokens` alone has what was thought. */
function tokensOf({ models }: JsonObject): readonly ModelTokens[] {
  return Object.entries(objectOf(models)).map(([model, value]) =>
    tokensOfModel(model, objectOf(value), 'input_tokens', 'output_tokens', 'total_tokens'),
  );
}

function tokensOfModel(model: string | null, stats: JsonObject, ...names: readonly string[]): ModelTokens {
  const [read = 0, written = 0, total = 0] = names.map((name) => numberOf(stats[name]) ?? 0);
  const cached = numberOf(stats.cached) ?? 0;
  const output = Math.max(written, total - read);
  return { model, input: Math.max(0, read - cached), cached, cacheWrite: 0, output };
}
