import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type ExitCode, failure, HookctlError } from '../../errors.ts';
import { entryUrl } from '../../package-root.ts';
import type { Sql, Value } from '../local/sql.ts';
import type { Address, ClientOptions } from './client.ts';
import type { Answer, Ask, ConnectionData, Numbered } from './connection.ts';
import { storedJson, storedText, type Translated, translate } from './dialect.ts';

/** A connection that is asked synchronously. */
interface Link {
  readonly sql: Sql;
  /** Runs statements without values. */
  exec(text: string): void;
  close(): void;
}

/** Longer than any limit of the other thread, in ms: only a thread that is gone takes so long. */
const LOST_MS = 120_000;

/** Limits of the connection: see `connect`; a statement may take 20 s by default. */
export function openLink(address: Address, limits: ClientOptions = { statementMs: 20_000 }): Link {
  const { port1: port, port2 } = new MessageChannel();
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const data: ConnectionData = { address, port: port2, signal, limits };
  const worker = new Worker(entryUrl('store/postgres/connection'), {
    workerData: data,
    transferList: [port2],
  });
  worker.unref();
  port.unref();
  const known = new Map<string, Translated & { readonly name: string }>();
  let isClosed = false;
  let number = 0;

  function ask(asked: Ask): Extract<Answer, { rows: unknown }> {
    if (isClosed) throw failure('store_stopped', `The store ${address.shown} was closed.`);
    number += 1;
    port.postMessage({ ...asked, number } satisfies Numbered<Ask>);
    const answer = answerTo(number);
    if ('rows' in answer) return answer;
    const { error, code, exitCode, fix } = answer;
    if (exitCode !== null)
      throw new HookctlError(code, exitCode as ExitCode, error, fix === null ? {} : { fix });
    throw Object.assign(new Error(error), { code });
  }

  function answerTo(wanted: number): Answer {
    for (;;) {
      // A wake-up may be late, and belong to the answer before: only what is there counts.
      while (Atomics.load(signal, 0) === 0) {
        if (Atomics.wait(signal, 0, 0, LOST_MS) === 'timed-out')
          throw failure('store_away', `${address.shown}: its connection gives no answer`);
      }
      Atomics.store(signal, 0, 0);
      const answer = receiveMessageOnPort(port)?.message as Numbered<Answer> | undefined;
      if (answer?.number === wanted) return answer;
    }
  }

  function run(text: string, values: Parameters<Sql['run']>[1] = []): Extract<Answer, { rows: unknown }> {
    const found = known.get(text) ?? { ...translate(text), name: `s${known.size}` };
    known.set(text, found);
    const given = Array.isArray(values)
      ? values
      : (found.names ?? []).map((name) => (values as Record<string, Value>)[name]);
    return ask({ text: found.text, name: found.name, values: given.map(stored) });
  }

  const first = (row: unknown) => (row === undefined ? null : Object.values(row as object)[0]);
  return {
    sql: {
      all: <Result>(text: string, values?: Parameters<Sql['all']>[1]) =>
        run(text, values).rows as readonly Result[],
      one: <Result>(text: string, values?: Parameters<Sql['one']>[1]) =>
        (run(text, values).rows[0] ?? null) as Result | null,
      column: <Result>(text: string, values?: Parameters<Sql['column']>[1]) =>
        run(text, values).rows.map(first) as readonly Result[],
      value: <Result>(text: string, values?: Parameters<Sql['value']>[1]) =>
        first(run(text, values).rows[0]) as Result | null,
      count: (text, values) => Number(first(run(text, values).rows[0])),
      run: (text, values) => run(text, values).count,
    },
    exec: (text) => void ask({ text, values: [] }),
    close() {
      if (isClosed) return;
      isClosed = true;
      port.postMessage('close');
      port.close();
    },
  };
}

/** A value as `pg` sends it. */
function stored(value: Value | undefined): unknown {
  if (value === undefined) throw new Error('a statement has a value that is missing');
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'string') return storedText(value);
  if (typeof value !== 'object' || value === null) return value === null ? null : String(value);
  return ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : storedJson(value);
}
