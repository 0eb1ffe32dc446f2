import { constants } from 'node:fs';
import { glob, open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isJsonObject } from '../lib/json.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import type { JsonObject, JsonValue, ModelTokens, RunCause, RunUsage } from '../types.ts';
import type { RunOrder } from './runner.ts';

const INPUT_LENGTH = 200;

/** One line of a program's JSON lines; null when the line is no JSON object: a message for people. */
export function readEvent(line: string): JsonObject | null {
  if (!line.startsWith('{')) return null;
  try {
    const event: unknown = JSON.parse(line);
    return isJsonObject(event) ? event : null;
  } catch {
    return null;
  }
}

export function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

export function numberOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

/** The value, or an empty object when it is no object. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** `Bash {"command":"npm test"}`, on one line. */
export function toolCall(name: JsonValue | undefined, input: JsonValue | undefined): string {
  const shown = typeof input === 'string' ? input : JSON.stringify(input ?? {});
  return shorten(escapeInvisibleLine(`${textOf(name) ?? 'a tool'} ${shown}`), INPUT_LENGTH);
}

const RATE_LIMIT =
  /\b(?:429|529)\b|too many requests|rate.?limit|usage limit|quota|overloaded|RESOURCE_EXHAUSTED/i;
const NO_LOGIN = /\b401\b|unauthori[sz]ed|authenticat|missing environment variable|api.?key|log ?in|no auth/i;

/** What an API's refusal means: by its status where the program gives it, else by its words. */
export function causeOf(text: string, status: number | null = null): RunCause {
  if (status === 429 || status === 529) return 'rate_limited';
  if (status === 401 || status === 403) return 'no_login';
  if (status !== null) return status < 500 ? 'refused' : 'failed';
  if (RATE_LIMIT.test(text)) return 'rate_limited';
  return NO_LOGIN.test(text) ? 'no_login' : 'failed';
}

const KINDS = ['input', 'cached', 'cacheWrite', 'output'] as const;

/** What a session took since its counters were last read, by model. A counter that went back was started anew. */
export function tokensSince(
  before: readonly ModelTokens[],
  now: readonly ModelTokens[],
): readonly ModelTokens[] {
  return now.map((counted) => {
    const earlier = before.find(({ model }) => model === counted.model);
    if (earlier === undefined || KINDS.some((kind) => earlier[kind] > counted[kind])) return counted;
    const rest = KINDS.map((kind) => [kind, counted[kind] - earlier[kind]]);
    const cost = counted.costUsd === undefined ? {} : { costUsd: counted.costUsd - (earlier.costUsd ?? 0) };
    return { ...counted, ...Object.fromEntries(rest), ...cost };
  });
}

/** Tokens as a run's usage; null where the program said none. */
export function usageOf(tokens: readonly ModelTokens[], more: Pick<RunUsage, 'costUsd' | 'turns'>): RunUsage {
  const sum = (count: (each: ModelTokens) => number) =>
    tokens.length === 0 ? null : tokens.reduce((total, each) => total + count(each), 0);
  return {
    ...more,
    inputTokens: sum(({ input, cached, cacheWrite }) => input + cached + cacheWrite),
    outputTokens: sum(({ output }) => output),
  };
}

/** A longer line is no count of tokens. */
const LONGEST_LINE = 1_000_000;
const CHUNK = 256 * 1024;

/** Where a program keeps its files: in the agent's home of a sandbox, else where a variable or the user's home leads. */
export function programFolder(
  { env, sandbox }: Pick<RunOrder<unknown>, 'env' | 'sandbox'>,
  variable: string,
  usual: string,
): string {
  const named = sandbox === null ? env[variable] : undefined;
  return named ?? join(env.HOME ?? homedir(), usual);
}

interface SessionFile {
  readonly folder: string;
  /** Of the session's files, below the folder; null while the session is not known. */
  readonly pattern: () => string | null;
  /** Lines without it are skipped. */
  readonly mark: string;
  readonly take: (event: JsonObject) => void;
}

/**
 * Codex, Gemini and Copilot say in their output only when they end what they used; the files of their sessions say it after
 * each answer of the model. Returns a function that takes the lines which are new since it was last called.
 */
export function followSession({ folder, pattern, mark, take }: SessionFile): () => Promise<void> {
  const seen = new Map<string, { offset: number; rest: Buffer }>();

  async function readNew(path: string): Promise<void> {
    const at = seen.get(path) ?? { offset: 0, rest: Buffer.alloc(0) };
    seen.set(path, at);
    // In a sandbox the agent could put anything there: a pipe that never answers, a link.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      if (!(await file.stat()).isFile()) return;
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, at.offset);
        if (bytesRead === 0) return;
        at.offset += bytesRead;
        const text = Buffer.concat([at.rest, buffer.subarray(0, bytesRead)]);
        const end = text.lastIndexOf(0x0a) + 1;
        for (const line of text.subarray(0, end).toString('utf8').split('\n')) takeLine(line);
        at.rest = text.length - end > LONGEST_LINE ? Buffer.alloc(0) : text.subarray(end);
      }
    } finally {
      await file.close();
    }
  }

  function takeLine(line: string): void {
    const event = line.includes(mark) ? readEvent(line) : null;
    if (event !== null) take(event);
  }

  return async () => {
    const wanted = pattern();
    if (wanted === null) return;
    for await (const name of glob(wanted, { cwd: folder })) {
      await readNew(join(folder, name)).catch(() => undefined);
    }
  };
}
