import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { getPath } from '../lib/json.ts';
import { describeEnd } from '../lib/process/subprocess.ts';
import { type Issue, type JsonValue, NO_USAGE, type RunUsage } from '../types.ts';
import { argumentIssues, fillIn, type PlaceholderValues, placeholdersOf, valuesOf } from './arguments.ts';
import { type BoundedEnd, startBounded } from './bounded.ts';
import { runEnvironment } from './environment.ts';
import { readEvent } from './events.ts';
import type { AgentRunner, CommonOptions, RunOrder, RunResult } from './runner.ts';
import { causeOfEnd, programPath } from './session-run.ts';
import { commonFields, modelFields } from './settings.ts';

/** Most of a result that is kept, in characters (of a file: bytes). */
const RESULT_LIMIT = 1_000_000;

/** Lines as they come, of which the last `RESULT_LIMIT` characters are kept. */
interface Collected {
  add(line: string): void;
  text(): string;
}

function collectLines(): Collected {
  const lines: string[] = [];
  let length = 0;
  return {
    add(line) {
      lines.push(line);
      length += line.length + 1;
      while (length > RESULT_LIMIT && lines.length > 1) length -= (lines.shift()?.length ?? 0) + 1;
    },
    text: () => lines.join('\n').slice(-RESULT_LIMIT),
  };
}

/** The text of a file that a program was to write; null when the program wrote no such file. A link is not followed. */
async function readResultFile(path: string): Promise<string | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch(() => null);
  if (handle === null) return null;
  try {
    if (!(await handle.stat()).isFile()) return null;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(RESULT_LIMIT), 0, RESULT_LIMIT, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await handle.close();
  }
}

/** JSON in a text: the whole of it, else its last line (JSON lines). Undefined when neither is JSON. */
function parseOutput(text: string): JsonValue | undefined {
  const lastLine = text.trimEnd().split('\n').at(-1) ?? '';
  for (const candidate of [text, lastLine]) {
    try {
      return JSON.parse(candidate) as JsonValue;
    } catch {
      // The next one, or none.
    }
  }
  return undefined;
}

/** A value as text: a text as it is, anything else as JSON; null when the path leads nowhere. */
function textAt(value: JsonValue | undefined, path: string): string | null {
  const found = getPath(value, path.split('.'));
  if (found === undefined || found === null) return null;
  return typeof found === 'string' ? found : JSON.stringify(found);
}

/** A number from 0 at a path; null when the path holds no such number. */
function numberAt(value: JsonValue | undefined, path: string | undefined): number | null {
  const found = path === undefined ? undefined : getPath(value, path.split('.'));
  return typeof found === 'number' && Number.isFinite(found) && found >= 0 ? found : null;
}

const jsonPath = z.string().min(1).describe('Dotted path, such as output.text.');

const options = z.strictObject({
  use: z.literal('command'),
  ...commonFields,
  program: z.string().min(1).describe('Program: a name on the PATH, or a path from the project folder.'),
  args: z
    .array(z.string())
    .default([])
    .describe(
      'Arguments: no shell; {{taskId}}, {{session}}, … are put in anywhere, what others wrote only as "--title={{title}}".',
    ),
  resumeArgs: z
    .array(z.string())
    .describe('Arguments from the second run of a conversation on, for a program that takes {{session}}.')
    .optional(),
  session: z
    .strictObject({
      capture: z
        .string()
        .min(1)
        .describe(
          'Where the program names its session: a dotted path in a JSON line, or a regex with one group: "/session id: (\\S+)/".',
        ),
      resume: z.array(z.string()).min(1).describe('Arguments that continue it, with {{session}}.'),
    })
    .describe('For a program that names its session itself.')
    .optional(),
  model: modelFields.model.describe('Whose price of `prices` counts for its tokens.'),
  budgetUsd: modelFields.budgetUsd,
  prompt: z
    .enum(['stdin', 'file'])
    .default('stdin')
    .describe('How the prompt is passed; the path of the file is {{promptFile}}.'),
  result: z
    .union([
      z.enum(['stdout', 'file']),
      z.strictObject({
        json: jsonPath,
        from: z.enum(['stdout', 'file']).default('stdout'),
        costUsd: jsonPath.optional(),
        inputTokens: jsonPath.optional(),
        outputTokens: jsonPath.optional(),
        turns: jsonPath.optional(),
      }),
    ])
    .default('stdout')
    .describe('Where the result is read: stdout, the file {{resultFile}}, or { json: path } in one of them.'),
});

type CommandOptions = z.output<typeof options> & CommonOptions;

/** Any program: prompt on stdin or in a file, result from stdout, a file, or a path in JSON. */
export const command: AgentRunner<CommandOptions> = {
  name: 'command',
  options,

  check({ program, args, resumeArgs = [], session }) {
    const inProgram = placeholdersOf(program).length > 0;
    const withoutSession = resumeArgs.length > 0 && !usesSession(args);
    return [
      ...(inProgram
        ? [issue('program', 'the program is fixed: no values are put in', 'Write its name.')]
        : []),
      ...(withoutSession
        ? [
            issue(
              'resumeArgs',
              'only a program that was given a session can resume it',
              'Put {{session}} into args.',
            ),
          ]
        : []),
      ...argumentIssues(['args'], args),
      ...argumentIssues(['resumeArgs'], resumeArgs),
      ...(session === undefined ? [] : sessionIssues(session, args)),
    ];
  },
  cannotHold: budgetIsLate,

  program: ({ program }) => program,
  sessionKey: ({ args, session }, agent) =>
    usesSession(args) || session !== undefined ? `command:${agent}` : null,

  mostUsd: ({ budgetUsd = null }) => budgetUsd,

  async start(order, io) {
    const { options: settings } = order;
    const session = usesSession(settings.args) ? (order.session ?? randomUUID()) : order.session;
    const values = valuesOf(order, session ?? '');
    const { args: firstArgs, resumeArgs = settings.session?.resume ?? firstArgs } = settings;
    const template = order.session === null ? firstArgs : resumeArgs;
    const capture = settings.session === undefined ? null : await sessionReader(settings.session.capture);
    let captured: string | null = null;
    const args = template.map((argument) => fillIn(argument, values));
    const prompt = Buffer.from(order.prompt);
    if (settings.prompt === 'file') await writeFile(values.promptFile, prompt, { flag: 'wx', mode: 0o600 });
    const stdout = collectLines();
    const program = programPath(order, settings.program);
    const running = await startBounded(order, {
      program,
      args,
      env: runEnvironment(order, { own: { HOOKCTL_RESULT_FILE: values.resultFile } }),
      input: settings.prompt === 'stdin' ? prompt : new Uint8Array(),
      howToGet: `Install it, or correct \`agents.${order.run.agent}.program\`.`,
      onLine(line, stream) {
        if (stream === 'stdout') stdout.add(line);
        const named = captured === null ? (capture?.(line) ?? null) : null;
        if (named !== null) {
          captured = named;
          io.session(named, null);
        }
        io.log({ kind: 'output', text: line });
      },
    });
    io.started(running.pid, [program, ...args]);
    if (session !== null && capture === null) io.session(session, null);
    const result = running.ended.then((end) => resultOf(order, end, stdout.text(), values));
    return { result, stop: running.stop };
  },
};

function usesSession(args: readonly string[]): boolean {
  return args.some((argument) => placeholdersOf(argument).includes('session'));
}

type Session = NonNullable<CommandOptions['session']>;

function sessionIssues({ capture, resume }: Session, args: readonly string[]): readonly Issue[] {
  const pattern = patternOf(capture);
  const isWrong = pattern !== null && !hasOneGroup(pattern);
  return [
    ...(isWrong
      ? [issue('session', `${capture} is no regex with one group`, 'Write /session id: (\\S+)/.')]
      : []),
    ...(usesSession(resume)
      ? []
      : [issue('session', 'resume does not name the session', 'Put {{session}} into session.resume.')]),
    ...(usesSession(args)
      ? [
          issue(
            'session',
            'args give the session, so there is none to capture',
            'Remove session, or {{session}}.',
          ),
        ]
      : []),
    ...argumentIssues(['session', 'resume'], resume),
  ];
}

/** The pattern of a capture that is a regex; null for a path. */
function patternOf(capture: string): string | null {
  return capture.length > 2 && capture.startsWith('/') && capture.endsWith('/') ? capture.slice(1, -1) : null;
}

/** Only parsed here: the engine that searches in linear time is loaded by a run that needs it. It knows neither look-around nor back-references. */
function hasOneGroup(pattern: string): boolean {
  if (/\(\?<?[=!]|\\[1-9]/.test(pattern)) return false;
  try {
    return new RegExp(`${pattern}|`).exec('')?.length === 2;
  } catch {
    return false;
  }
}

/** Finds the session's id in a line that a program printed. Throws when the capture is no regex. */
async function sessionReader(capture: string): Promise<(line: string) => string | null> {
  const pattern = patternOf(capture);
  if (pattern === null) return (line) => textAt(readEvent(line) ?? undefined, capture);
  const { compileRegex } = await import('../lib/regex.ts');
  const compiled = compileRegex(pattern, '');
  if (!compiled.ok) throw new Error(`session.capture: ${compiled.message}`);
  return compiled.regex.firstGroup;
}

function issue(field: string, message: string, fix: string): Issue {
  return { path: [field], message, fix };
}

async function resultOf(
  { options: settings, priceOf }: RunOrder<CommandOptions>,
  end: BoundedEnd,
  stdout: string,
  { resultFile }: PlaceholderValues,
): Promise<RunResult> {
  const wish = typeof settings.result === 'string' ? { from: settings.result } : settings.result;
  const source = wish.from === 'stdout' ? stdout : await readResultFile(resultFile);
  const value = 'json' in wish ? parseOutput(source ?? '') : undefined;
  const text = ('json' in wish ? textAt(value, wish.json) : source)?.trim() ?? '';
  const usage = 'json' in wish ? usageAt(value, wish, priceOf) : NO_USAGE;
  const failed = failureOf(settings, end, text);
  return {
    state: failed === null ? 'completed' : 'failed',
    text: failed ?? text,
    ...(failed !== null && { cause: causeOfEnd(end) }),
    exitCode: end.code,
    signal: end.signal,
    usage,
    denials: [],
  };
}

type Places = Exclude<CommandOptions['result'], string>;

function usageAt(
  value: JsonValue | undefined,
  places: Places,
  priceOf: RunOrder<unknown>['priceOf'],
): RunUsage {
  const [inputTokens, outputTokens] = [
    numberAt(value, places.inputTokens),
    numberAt(value, places.outputTokens),
  ];
  const isCounted = inputTokens !== null || outputTokens !== null;
  const tokens = {
    model: null,
    input: inputTokens ?? 0,
    cached: 0,
    cacheWrite: 0,
    output: outputTokens ?? 0,
  };
  return {
    costUsd: numberAt(value, places.costUsd) ?? (isCounted ? priceOf([tokens]) : null),
    ...{ inputTokens, outputTokens, turns: numberAt(value, places.turns) },
  };
}

/** Why a run has failed; null when it has not. */
function failureOf({ program, result }: CommandOptions, end: BoundedEnd, text: string): string | null {
  const said = describeEnd(program, end, end.lastLines);
  if (end.why !== null) return `${program} was stopped: ${end.why}; ${said}`;
  if (end.code !== 0) return said;
  if (text !== '') return null;
  const where = typeof result === 'string' ? result : `${result.json} of ${result.from}`;
  return `it left no result in ${where}; ${said}`;
}

/** What becomes of `budgetUsd` where a program says only when it ends what it used. */
function budgetIsLate(options: {
  readonly budgetUsd?: number | undefined;
  readonly timeout: number;
}): readonly string[] {
  const { budgetUsd, timeout } = options;
  if (budgetUsd === undefined) return [];
  return [
    `budgetUsd: the program says only when it ends what it used: more than $${budgetUsd} is counted, but ends no run; timeout (${timeout / 60_000} min) does`,
  ];
}
