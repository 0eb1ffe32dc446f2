import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { JsonObject, ModelTokens } from '../types.ts';
import { findLogin, runEnvironment } from './environment.ts';
import { causeOf, numberOf, objectOf, readEvent, textOf, toolCall, usageOf } from './events.ts';
import type { AgentRunner, CommonOptions, RunIo, RunOrder } from './runner.ts';
import { byHand, type Outcome, runInSession, type Start, type Transcript } from './session-run.ts';
import { budgetIsLate, commonFields, modelFields } from './settings.ts';

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
  cannotHold: (settings) => [
    'gemini has hookctl’s tools only where ~/.gemini/settings.json names them, see docs/agents.md',
    ...budgetIsLate(settings),
  ],
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
    return runInSession(order, io, {
      title: 'Gemini',
      program,
      howToGet: 'Install it (npm install -g @google/gemini-cli), or correct `program` of the agent.',
      // Without it the program that was started is a launcher, which lets a turn go on after SIGTERM.
      env: runEnvironment(order, { usual: GEMINI_VARIABLES, own: { GEMINI_CLI_NO_RELAUNCH: 'true' } }),
      args: (resumed) => [
        ...['--output-format=stream-json', '--skip-trust', `--approval-mode=${approval}`],
        ...(model === undefined ? [] : [`--model=${model}`]),
        ...allowedTools.map((tool) => `--allowed-tools=${tool}`),
        resumed === null ? `--session-id=${randomUUID()}` : `--resume=${resumed}`,
      ],
      lost: /Invalid session identifier/,
      transcript: (start) => readGemini(order, io, start),
    });
  },
};

function readGemini(order: GeminiOrder, io: RunIo, { log }: Start): Transcript {
  const { folder, options: settings, priceOf } = order;
  const calls = new Map<string, string>();
  const denials: string[] = [];
  let said = '';
  let result: JsonObject | null = null;

  /** The answer comes in pieces, a line each. */
  function flush(): void {
    if (said.trim() !== '') log({ kind: 'said', text: said });
  }

  function take(event: JsonObject): void {
    const { type, role, content, session_id: session, tool_id: id, tool_name: tool } = event;
    if (type === 'init' && typeof session === 'string') {
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
    outcome({ code, lastLines }) {
      if (result === null) return withoutResult(code, lastLines);
      const tokens = tokensOf(objectOf(result.stats));
      const costUsd = tokens.length === 0 ? 0 : priceOf(tokens);
      const done = { usage: usageOf(tokens, { costUsd, turns: null }), denials };
      if (result.status === 'success') return { failed: false, text: said, ...done };
      const text = textOf(objectOf(result.error).message) ?? 'Gemini reports an error';
      return { failed: true, text, cause: causeOf(text, httpStatus(code)), ...done };
    },
  };
}

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
  return Object.entries(objectOf(models)).map(([model, value]) => {
    const stats = objectOf(value);
    const count = (name: string) => numberOf(stats[name]) ?? 0;
    const [read, cached] = [count('input_tokens'), count('cached')];
    const output = Math.max(count('output_tokens'), count('total_tokens') - read);
    return { model, input: Math.max(0, read - cached), cached, cacheWrite: 0, output };
  });
}
