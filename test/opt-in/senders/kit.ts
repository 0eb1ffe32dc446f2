import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const CLI = fileURLToPath(new URL('../../../scripts/dev.js', import.meta.url));
export const TOKEN = 'a-token-of-this-run';
const PATIENCE_MS = 60_000;

/** A sender that can't be had on this machine; its message says why. */
export class Unavailable extends Error {}

/** One real program that posts to hookctl. Its name is that of its provider and its webhook too. */
export interface SenderProgram {
  readonly name: string;
  readonly commands: readonly {
    readonly trigger: string;
    readonly conditions?: Readonly<Record<string, string>>;
    readonly template: string;
  }[];
  /** Installs the program, makes it post, and asserts what hookctl made of it; throws `Unavailable` to skip. */
  run(stage: Stage): Promise<void>;
}

export interface DeliveryRow {
  readonly webhook: string;
  readonly status: string;
  readonly trust: string | null;
  readonly reason: string | null;
  readonly event_type: string | null;
  readonly external_id: string | null;
}

interface TaskRow {
  readonly webhook: string;
  readonly title: string;
}

/** Where a program runs: a folder and child processes of its own, beside the hookctl that all post to. */
export class Stage {
  readonly folder: string;
  /** Address to which the program posts. */
  readonly url: string;
  readonly #name: string;
  readonly #project: string;
  readonly #children: ChildProcess[] = [];

  constructor(project: string, name: string, ingress: string) {
    this.#project = project;
    this.#name = name;
    this.folder = join(project, 'programs', name);
    this.url = `${ingress}/webhooks/${name}`;
    mkdirSync(this.folder, { recursive: true });
  }

  start(program: string, args: readonly string[], options: StartOptions = {}): ChildProcess {
    const child = startProgram(program, args, { cwd: this.folder, ...options });
    this.#children.push(child);
    return child;
  }

  async end(): Promise<void> {
    for (const child of this.#children.toReversed()) await endProgram(child);
  }

  deliveries(): readonly DeliveryRow[] {
    const args = ['delivery', 'list', '--webhook', this.#name, '--limit', '10000', '--json'];
    return this.#hookctl<DeliveryRow>(args).toReversed();
  }

  titles(): readonly string[] {
    return this.#hookctl<TaskRow>(['task', 'list', '--limit', '10000', '--json'])
      .filter(({ webhook }) => webhook === this.#name)
      .map(({ title }) => title)
      .toSorted();
  }

  /**
   * Waits until each expected `type id` came, then asserts them, that all verified, and the titles of the tasks. The ids
   * are as presets write them: behind the names of the provider and the webhook, unless another prefix is given.
   */
  async expect(
    events: readonly string[],
    titles: readonly string[],
    prefix = `${this.#name}:${this.#name}:`,
  ): Promise<void> {
    const expected = events.map((each) => each.replace(' ', ` ${prefix}`));
    const settled = () => this.deliveries().filter(({ status }) => status !== 'pending');
    await until(`${events.length} deliveries`, () => settled().length >= events.length).catch(() => {});
    const rows = settled();
    const told = rows.map(({ event_type, external_id }) => `${event_type} ${external_id}`);
    assert.deepEqual(told.toSorted(), expected.toSorted(), JSON.stringify(rows, null, 1));
    assert.deepEqual(
      rows.filter(({ trust, status }) => trust !== 'verified' || !['processed', 'ignored'].includes(status)),
      [],
    );
    assert.deepEqual(this.titles(), titles.toSorted());
  }

  #hookctl<Row>(args: readonly string[]): readonly Row[] {
    return JSON.parse(
      execFileSync(process.execPath, [CLI, ...args], { cwd: this.#project, encoding: 'utf8' }),
    );
  }
}

interface StartOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdio?: StdioOptions;
}

export function startProgram(program: string, args: readonly string[], options: StartOptions): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore', ...options });
  // A program that can't be started is found missing by whatever waits for it.
  child.on('error', (error) => console.error(`${program}: ${error.message}`));
  return child;
}

export async function endProgram(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exit;
  clearTimeout(patience);
}

/** Runs a program to its end and returns what it printed; an error carries its words. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 64 << 20, ...options });
  return stdout;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patience = PATIENCE_MS,
): Promise<void> {
  for (const deadline = Date.now() + patience; ; await delay(200)) {
    if (
      await Promise.resolve()
        .then(holds)
        .catch(() => false)
    )
      return;
    if (Date.now() > deadline) throw new Error(`waited ${patience / 1000} s for ${what}`);
  }
}
