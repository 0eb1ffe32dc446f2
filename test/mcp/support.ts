import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { onTestFinished } from 'vitest';
import { cliPath } from '../support/cli.ts';
import type { Sandbox } from '../support/sandbox.ts';
import type { Server } from '../support/server.ts';

/** What a tool answered. */
export interface Answered<T> {
  readonly text: string;
  readonly data: T;
  readonly isError: boolean;
}

/** The SDK's client, connected to hookctl. */
export interface Mcp {
  readonly client: Client;
  call<T = Record<string, unknown>>(tool: string, args?: Record<string, unknown>): Promise<Answered<T>>;
}

/** `legacy` opens with `initialize` (2025-11-25), `auto` with `server/discover` (2026-07-28). */
type Era = 'legacy' | 'auto';

/** Starts `hookctl mcp` in a sandbox, as Claude Code would. */
export function overStdio(sandbox: Sandbox, args: readonly string[] = [], era: Era = 'legacy'): Promise<Mcp> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [cliPath(), 'mcp', ...args],
    env: { ...sandbox.env },
    cwd: sandbox.project,
  });
  return connected(transport, era);
}

/** Connects to `/mcp` of a running server with a token. */
export function overHttp({ managementUrl }: Pick<Server, 'managementUrl'>, token: string, era: Era = 'auto') {
  const headers = { authorization: `Bearer ${token}` };
  const url = new URL('/mcp', managementUrl);
  return connected(new StreamableHTTPClientTransport(url, { requestInit: { headers } }), era);
}

async function connected(transport: Parameters<Client['connect']>[0], era: Era): Promise<Mcp> {
  const options = { versionNegotiation: { mode: era } } as const;
  const client = new Client({ name: 'test', version: '1.0.0' }, options);
  onTestFinished(() => client.close());
  await client.connect(transport);
  return {
    client,
    async call<T>(name: string, args: Record<string, unknown> = {}) {
      const { content, structuredContent, isError } = await client.callTool({ name, arguments: args });
      const texts = content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
      return { text: texts.join('\n'), data: structuredContent as T, isError: isError === true };
    },
  };
}

/** `hookctl mcp` byte for byte: what is written to it, and each line that comes back. */
export interface RawStdio {
  write(line: string): void;
  next(): Promise<Record<string, unknown>>;
  end(): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

export function rawStdio(sandbox: Sandbox, ...args: readonly string[]): RawStdio {
  const child = spawn(process.execPath, [cliPath(), 'mcp', ...args], {
    cwd: sandbox.project,
    env: sandbox.env,
  });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    write: (line) => void child.stdin.write(`${line}\n`),
    async next() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`hookctl mcp ended: ${stderr}`);
      return JSON.parse(value);
    },
    async end() {
      child.stdin.end();
      const [code] = await ended;
      return { code, stderr };
    },
  };
}
