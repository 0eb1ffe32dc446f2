import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
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
  tokensSince,
  toolCall,
  usageOf,
} from './events.ts';
import type { AgentRunner, CommonOptions, RunIo, RunOrder } from './runner.ts';
import { byHand, runInSession, type Start, type Transcript } from './session-run.ts';
import { commonFields, modelFields } from './settings.ts';

const tools = z.array(z.string().regex(/^[A-Za-z]/, 'expected the name of a tool, such as shell(git)'));

const options = z.strictObject({
  use: z.literal('copilot'),
  ...commonFields,
  ...modelFields,
  program: z.string().min(1).default('copilot').describe('Copilot CLI; default: copilot on the PATH.'),
  allowedTools: tools
    .default([])
    .describe('What it may use beside reading: write, shell(npm test), …; every command of a pipeline.'),
  deniedTools: tools.default([]).describe('What it may not use, whatever is allowed: shell(git push).'),
});

type CopilotOptions = z.output<typeof options> & CommonOptions;
type CopilotOrder = RunOrder<CopilotOptions>;

const COPILOT_VARIABLES = `COPILOT_GITHUB_TOKEN COPILOT_HOME COPILOT_MODEL COPILOT_PROVIDER_BASE_URL
  COPILOT_PROVIDER_TYPE COPILOT_PROVIDER_API_KEY COPILOT_PROVIDER_BEARER_TOKEN COPILOT_PROVIDER_WIRE_API
  COPILOT_PROVIDER_MODEL_ID COPILOT_PROVIDER_WIRE_MODEL COPILOT_OFFLINE XDG_CACHE_HOME`.split(/\s+/);

/** GitHub Copilot CLI without a terminal: prompt on stdin, events as JSON lines (1.0.102). */
export const copilot: AgentRunner<CopilotOptions> = {
  name: 'copilot',
  options,
  check: () => [],
  facts: {
    tested: '1.0.102',
    login: (env) =>
      findLogin(env, {
        variables: ['COPILOT_GITHUB_TOKEN', 'COPILOT_PROVIDER_BASE_URL'],
        folder: ['COPILOT_HOME', '.copilot'],
        file: 'config.json',
      }),
    howToLogIn: 'start `copilot` and use /login, or set COPILOT_GITHUB_TOKEN or COPILOT_PROVIDER_BASE_URL',
  },
  program: ({ program }) => program,
  sessionKey: () => 'copilot',
  mostUsd: ({ budgetUsd = null }) => budgetUsd,

  async start(order, io) {
    const { program } = order.options;
    let session = '';
    return runInSession(order, io, {
      title: 'Copilot',
      program,
      howToGet: 'Install it (npm install -g @github/copilot), or correct `program` of the agent.',
      env: runEnvironment(order, {
        usual: COPILOT_VARIABLES,
        own: { COPILOT_AUTO_UPDATE: 'false' },
      }),
      args(resumed) {
        session = resumed ?? randomUUID();
        return argumentsOf(order, io, session, resumed !== null);
      },
      lost: /No session, task, or name matched/,
      budgetUsd: order.options.budgetUsd,
      transcript: (start) => readCopilot(order, session, start),
    });
  },
};

const usageFile = ({ scratch }: CopilotOrder) => join(scratch, 'copilot-usage.json');

/** Only the last event names the session, so that it is given: a killed run's would be unknown. */
async function argumentsOf(
  order: CopilotOrder,
  io: RunIo,
  session: string,
  isResumed: boolean,
): Promise<readonly string[]> {
  const { options: settings, environment, scratch, folder, env } = order;
  const { program, model, allowedTools, deniedTools } = settings;
  io.session(session, byHand(folder, { COPILOT_HOME: env.COPILOT_HOME }, [program, `--resume=${session}`]));
  const mcp = environment.mcpConfig === undefined ? null : join(scratch, 'copilot-mcp.json');
  if (mcp !== null) await writeFile(mcp, environment.mcpConfig ?? '', { mode: 0o600 });
  return [
    ...['--output-format=json', '--no-color', `--usage-output-file=${usageFile(order)}`],
    ...(model === undefined ? [] : [`--model=${model}`]),
    ...(mcp === null ? [] : [`--additional-mcp-config=@${mcp}`, '--allow-tool=hookctl']),
    ...allowedTools.map((tool) => `--allow-tool=${tool}`),
    ...deniedTools.map((tool) => `--deny-tool=${tool}`),
    isResumed ? `--resume=${session}` : `--session-id=${session}`,
  ];
}

function readCopilot(order: CopilotOrder, session: string, { log, resumed }: Start): Transcript {
  const { meter, priceOf } = order;
  const calls = new Map<string, string>();
  const denials: string[] = [];
  const answers: ModelTokens[] = [];
  const readNew = followSession({
    folder: programFolder(order, 'COPILOT_HOME', '.copilot'),
    pattern: () => (/^[\w-]+$/.test(session) ? `session-state/${session}/events.jsonl` : null),
    mark: '"session.usage_record"',
    take({ data }) {
      const usage = objectOf(objectOf(data).usage);
      answers.push(tokensOf(textOf(usage.model), usage));
    },
  });
  const since = (counted: readonly ModelTokens[]) => tokensSince(resumed === null ? [] : meter, counted);
  let text = '';
  let turns = 0;
  let isDone = false;
  let error: { readonly text: string; readonly status: number | null } | null = null;

  function take({ type, data: value, exitCode }: JsonObject): void {
    const data = objectOf(value);
    const id = textOf(data.toolCallId) ?? '';
    if (type === 'assistant.turn_start') turns += 1;
    else if (type === 'assistant.message' && typeof data.content === 'string' && data.content !== '') {
      text = data.content;
      log({ kind: 'said', text });
    } else if (type === 'tool.execution_start') {
      const call = toolCall(data.toolName, data.arguments);
      calls.set(id, call);
      log({ kind: 'did', text: call });
    } else if (type === 'tool.execution_complete' && data.success === false) {
      const { code, message } = objectOf(data.error);
      const call = calls.get(id) ?? 'a tool';
      log({ kind: 'note', text: `${call}: ${textOf(message) ?? 'failed'}` });
      if (code === 'denied') denials.push(call);
    } else if (type === 'session.error') {
      error = { text: textOf(data.message) ?? 'Copilot reports an error', status: numberOf(data.statusCode) };
    } else if (type === 'result') isDone = exitCode === 0;
  }

  return {
    line(line, stream) {
      const event = stream === 'stdout' ? readEvent(line) : null;
      if (event !== null) take(event);
      return event !== null;
    },
    async spent() {
      await readNew();
      return resumed !== null && meter.length === 0 ? [] : since(sumByModel(answers));
    },
    async outcome({ lastLines }) {
      const written = await readUsage(usageFile(order));
      // A run that is ended writes none.
      if (written.length === 0) await readNew();
      const counted = written.length === 0 ? sumByModel(answers) : written;
      const tokens = since(counted);
      const nothing = error !== null && text === '' ? 0 : null;
      const costUsd = tokens.length === 0 ? nothing : priceOf(tokens);
      const usage = usageOf(tokens, { costUsd, turns: turns === 0 ? null : turns });
      const done = { usage, denials, ...(counted.length > 0 && { meter: counted }) };
      if (error !== null) {
        return { failed: true, text: error.text, cause: causeOf(error.text, error.status), ...done };
      }
      if (isDone) return { failed: false, text, ...done };
      const login = lastLines.find((line) =>
        /No authentication information|Authentication failed/i.test(line),
      );
      if (login !== undefined) return { failed: true, text: login, cause: 'no_login', ...done };
      return counted.length === 0 ? null : { failed: true, text: '', ...done };
    },
  };
}

/** The session's counters by model; none when the file was not written. */
async function readUsage(file: string): Promise<readonly ModelTokens[]> {
  const written = readEvent((await readFile(file, 'utf8').catch(() => '')).replaceAll('\n', ' ').trim());
  return Object.entries(objectOf(written?.modelMetrics)).map(([model, metrics]) =>
    tokensOf(model, objectOf(objectOf(metrics).usage)),
  );
}

function tokensOf(model: string | null, usage: JsonObject): ModelTokens {
  const count = (name: string) => numberOf(usage[name]) ?? 0;
  const [cached, cacheWrite] = [count('cacheReadTokens'), count('cacheWriteTokens')];
  const input = Math.max(0, count('inputTokens') - cached - cacheWrite);
  return { model, input, cached, cacheWrite, output: count('outputTokens') };
}

function sumByModel(answers: readonly ModelTokens[]): readonly ModelTokens[] {
  const sums = new Map<string | null, ModelTokens>();
  for (const each of answers) {
    const { model, input, cached, cacheWrite, output } = sums.get(each.model) ?? tokensOf(each.model, {});
    sums.set(model, {
      ...{ model, input: input + each.input, cached: cached + each.cached },
      ...{ cacheWrite: cacheWrite + each.cacheWrite, output: output + each.output },
    });
  }
  return [...sums.values()];
}
