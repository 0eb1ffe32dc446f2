import { execFileSync } from 'node:child_process';
import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type Live, type LiveChange, openLive } from '../../../src/config/live.ts';
import type { Place } from './support.ts';

export interface Watched extends Live {
  /** Everything that was reported so far. */
  readonly changes: readonly LiveChange[];
}

/** The configuration of a place in force, until the test ends. */
export async function liveIn(place: Place): Promise<Watched> {
  const changes: LiveChange[] = [];
  const configuration = await place.configuration();
  const live = await openLive({ configuration, env: {}, report: (change) => changes.push(change) });
  onTestFinished(live.close);
  return { ...live, changes };
}

/** How editors and scripts write a file. Each resolves when the file is whole. */
export const SAVE_PATTERNS: Readonly<Record<string, (file: string, text: string) => Promise<void>>> = {
  async 'in place'(file, text) {
    writeFileSync(file, text);
  },
  async rename(file, text) {
    writeFileSync(`${file}.swp`, text);
    renameSync(`${file}.swp`, file);
  },
  async 'sed -i'(file, text) {
    const script = `${file}.sed`;
    writeFileSync(script, `1r ${script}.text\n1,$d\n`);
    // sed puts the text behind the first line and drops what was there, in a new file beside the old one.
    writeFileSync(`${script}.text`, text);
    execFileSync('sed', ['-i', '-f', script, file]);
    rmSync(script);
    rmSync(`${script}.text`);
  },
  async 'one byte per millisecond'(file, text) {
    const fd = openSync(file, 'w');
    for (const byte of Buffer.from(text)) {
      writeSync(fd, Uint8Array.of(byte));
      await delay(1);
    }
    closeSync(fd);
  },
  async 'delete and recreate'(file, text) {
    rmSync(file);
    await delay(20);
    writeFileSync(file, text);
  },
};

/** Overwrites a file byte by byte without making it shorter first, so that it is half old and half new meanwhile. */
export async function overwriteSlowly(file: string, text: string): Promise<void> {
  const fd = openSync(file, 'r+');
  for (const [position, byte] of Buffer.from(text).entries()) {
    writeSync(fd, Uint8Array.of(byte), 0, 1, position);
    if (position % 4 === 0) await delay(1);
  }
  closeSync(fd);
}
