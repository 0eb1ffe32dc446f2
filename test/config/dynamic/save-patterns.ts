import { execFileSync } from 'node:child_process';
import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

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

/**
 * Overwrites a file byte by byte without making it shorter first, so that it is half old and half new meanwhile.
 * Returns the longest time in which nothing was written, in milliseconds: this process may have had to wait.
 */
export async function overwriteSlowly(file: string, text: string): Promise<number> {
  const fd = openSync(file, 'r+');
  let longest = 0;
  let last = performance.now();
  for (const [position, byte] of Buffer.from(text).entries()) {
    writeSync(fd, Uint8Array.of(byte), 0, 1, position);
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    await delay(1);
  }
  closeSync(fd);
  return longest;
}
