import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { amount, type Fault } from './fault.ts';
import { type Hook, newHook } from './support/hooks.ts';
import { isAccepted, type Ledger, told } from './support/ledger.ts';
import { requireAlive } from './support/probes.ts';
import type { Served } from './support/served.ts';
import { onStage } from './support/stage.ts';
import { eventually, inLanes } from './support/wait.ts';

/** A good request may take so long while they hang there. */
const ANSWER_MS = 1_000;
/** hookctl gives headers 10 s and a whole request 15 s, and looks every second. */
const CUT_MS = 17_000;
const GOOD_PAUSE_MS = 20;

/** What a slow client sends, piece by piece; each piece is one write. */
type Pieces = (hook: Hook) => Generator<string>;

interface Kind {
  readonly pieces: Pieces;
  readonly everyMs: number;
  readonly sockets: number;
}

const KINDS: Readonly<Record<string, Kind>> = {
  'slow headers': { pieces: slowHeaders, everyMs: 500, sockets: 40 },
  'slow body': { pieces: slowBody, everyMs: 500, sockets: 40 },
  'a body without end': { pieces: endlessBody, everyMs: 5, sockets: 10 },
  'half-open': { pieces: halfOpen, everyMs: 500, sockets: 40 },
  'idle connections': { pieces: nothing, everyMs: 500, sockets: 200 },
};

export const slowClients: Fault = {
  name: 'slow-clients',
  claim: `slow clients of five kinds: cut in ${CUT_MS / 1_000} s, good requests meanwhile answered in ${ANSWER_MS / 1_000} s`,
  run: (trial) =>
    onStage(trial, async ({ ledger, serve, conclude }) => {
      const served = await serve();
      let worst = 0;
      const kinds = Object.entries(KINDS);
      // Each takes as long as hookctl is patient: in the short form all come at once.
      const lanes = amount(trial, { full: 1, quick: 1, short: kinds.length });
      await inLanes(kinds.length, lanes, async (index) => {
        for (const [name, kind] of kinds.slice(index, index + 1)) {
          await trial.part(name, async () => {
            const sockets = amount(trial, {
              full: kind.sockets,
              quick: kind.sockets,
              short: kind.sockets >> 2,
            });
            worst = Math.max(worst, await harassed({ served, ledger, kind: { ...kind, sockets } }));
          });
        }
      });
      trial.note(`99 of 100 good answers within ${Math.round(worst)} ms`);
      await trial.part('what is there', () => conclude(served));
    }),
};

interface Scene {
  readonly served: Served;
  readonly ledger: Ledger;
  readonly kind: Kind;
}

/** Returns how long the good requests took, but for the slowest in a hundred, in ms. */
async function harassed({ served, ledger, kind }: Scene): Promise<number> {
  const sockets = Array.from({ length: kind.sockets }, () => slowClient(served.port, kind));
  const left = () => sockets.filter(({ destroyed }) => !destroyed).length;
  const from = performance.now();
  const times: number[] = [];
  try {
    await eventually('connections', () => sockets.every(({ connecting }) => !connecting));
    while (left() > 0 && performance.now() - from < CUT_MS) {
      const answer = await ledger.send(served.url);
      if (answer === null || !isAccepted(answer)) throw new Error(`a good request was ${told(answer)}`);
      times.push(answer.ms);
      await delay(GOOD_PAUSE_MS);
    }
    if (left() > 0) throw new Error(`${left()} of ${sockets.length} were not cut in ${CUT_MS} ms`);
    await requireAlive(served);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  const slow = times.toSorted((a, b) => a - b)[Math.floor(0.99 * (times.length - 1))] ?? 0;
  if (slow > ANSWER_MS) throw new Error(`99 of 100 good requests took up to ${Math.round(slow)} ms`);
  return slow;
}

function slowClient(port: number, { pieces, everyMs }: Kind): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  // Without a reader an answer is never seen, nor the end of the connection.
  socket.resume();
  const rest = pieces(newHook());
  const timer = setInterval(() => {
    const { value, done } = rest.next();
    if (done !== true && socket.writable && socket.writableLength === 0) socket.write(value);
  }, everyMs);
  return socket.on('close', () => clearInterval(timer));
}

function head({ path, headers }: Hook, changes: Readonly<Record<string, string | undefined>> = {}): string {
  const lines = Object.entries({ host: 'localhost', ...headers, ...changes }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return `POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

function* slowHeaders(hook: Hook): Generator<string> {
  yield* head(hook);
}

function* slowBody(hook: Hook): Generator<string> {
  yield head(hook);
  yield* hook.body.toString('latin1');
}

/** A chunk after the other, and never the last one. */
function* endlessBody(hook: Hook): Generator<string> {
  yield head(hook, { 'content-length': undefined, 'transfer-encoding': 'chunked' });
  for (;;) yield `10000\r\n${'x'.repeat(0x10000)}\r\n`;
}

/** Half of a body, and then the sender is gone without a word. */
function* halfOpen(hook: Hook): Generator<string> {
  yield head(hook) + hook.body.toString('latin1', 0, hook.body.length >> 1);
}

function* nothing(): Generator<string> {}
