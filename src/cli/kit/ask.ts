import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Services } from '../../services.ts';

/** Whether there is a person who can be asked. */
export function canAsk({ io, stdin }: Services): boolean {
  return io.err.isTerminal && stdin.isTTY === true;
}

/** A question that is answered with y or, at a bare return, with no. */
export async function agrees({ io, stdin }: Services, question: string): Promise<boolean> {
  const output = new Writable({
    write(chunk, _encoding, done) {
      io.err.write(String(chunk));
      done();
    },
  });
  const terminal = createInterface({ input: stdin, output });
  try {
    return /^y/i.test(await terminal.question(`${question} [y/N] `));
  } finally {
    terminal.close();
  }
}
