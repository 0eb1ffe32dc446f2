import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Option } from 'commander';
import { HookctlError, messageOf, usageError } from '../errors.ts';
import { type OutputStream, say } from '../lib/io.ts';
import { fullJitter } from '../lib/time.ts';
import type { McpBackend } from '../mcp/backend.ts';
import { serveMcpStdio } from '../mcp/server.ts';
import { type Host, openServices, type ServiceFlags, type Services } from '../services.ts';
import { pushToInbox, unwatchedNews } from './claude/inbox.ts';
import type { CliCommand } from './kit/command.ts';
import { patience } from './kit/moment.ts';
import { managementCall } from './kit/operate.ts';

interface McpFlags extends ServiceFlags {
  readonly agent?: string;
  readonly channel?: boolean;
  /** Milliseconds. */
  readonly ask?: number;
}

/** How long a change waits for other commands that hold the data folder, each for under a second. */
const PATIENCE_MS = 15_000;
const WAIT = { baseMs: 30, capMs: 250, random: Math.random };

/** `hookctl mcp`: the tools for agents over stdin and stdout. */
export const configureMcp: CliCommand = (command, runner) => {
  command
    .option('--agent <name>', 'agent whose tasks and events are used when a call names none')
    .option('--channel', 'push each new task as a channel of Claude Code, which has to be started for it')
    .addOption(
      new Option(
        '--ask <time>',
        'with --channel: ask a person for so long what the session may do',
      ).argParser(patience),
    )
    .addHelpText('after', NOTES)
    .examples(
      'hookctl claude install --mcp',
      'claude mcp add hookctl -- hookctl mcp',
      'hookctl mcp --agent planning',
      'hookctl mcp --channel --ask 10m',
    )
    .action((flags: McpFlags) => {
      const all = command.optsWithGlobals<McpFlags>();
      return runner.run(all, (app) => serveStdio(app, runner.host, { ...all, ...flags }));
    });
};

const NOTES = `
Speaks the Model Context Protocol on stdin and stdout: an agent starts it, not a
person. It works with and without a running server. The same tools are at /mcp
of the management address (Streamable HTTP, with the token of \`hookctl token\`,
or with one of an owner: see \`hookctl token create\`).`;

async function serveStdio(app: Services, host: Host, flags: McpFlags): Promise<0> {
  if (flags.ask !== undefined && flags.channel !== true) {
    throw usageError('--ask needs --channel', 'Claude Code asks only channels; runs have `askPermission`.');
  }
  const stop = new AbortController();
  void app.signals.next().then(() => stop.abort());
  const options = {
    backend: backendOf(app, host, flags),
    scope: null,
    agent: flags.agent ?? null,
    now: app.clock.now,
    stopping: stop.signal,
    onError: (error: unknown) => say(app.io.err, `hookctl mcp: ${messageOf(error)}`),
  };
  const push = { agent: options.agent, signal: stop.signal };
  const isChannel = flags.channel === true && app.env.HOOKCTL_RUN_ID === undefined;
  if (!isChannel) void pushToInbox(app, push).catch(options.onError);
  const channel = isChannel ? { lines: unwatchedNews(app, push), patienceMs: flags.ask ?? null } : null;
  await serveMcpStdio(options, app.stdin(), writable(app.io.out), channel);
  stop.abort();
  return 0;
}

/**
 * Each change opens and closes its own services: a session lasts hours, and other commands need the data folder
 * meanwhile. Reads go straight to the store.
 */
function backendOf(app: Services, host: Host, flags: ServiceFlags): McpBackend {
  return {
    async look(ask, nothing) {
      const store = app.reader();
      return store === null ? nothing : ask(store);
    },
    async call(request) {
      const deadline = app.clock.now() + PATIENCE_MS;
      for (let tries = 0; ; tries += 1) {
        const own = await openServices(host, flags);
        try {
          return await (await managementCall(own, 'mcp'))(request);
        } catch (error) {
          const isBusy = error instanceof HookctlError && error.code === 'in_use';
          if (!isBusy || app.clock.now() > deadline) throw error;
        } finally {
          await own.close();
        }
        await delay(fullJitter(tries, WAIT));
      }
    },
  };
}

function writable(stream: OutputStream): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      stream.write(chunk.toString('utf8'));
      done();
    },
  });
}
