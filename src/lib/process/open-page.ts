import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** By the program that opens a file with the browser, on each system. */
const OPENERS: Readonly<Record<string, readonly string[]>> = {
  darwin: ['open'],
  win32: ['explorer.exe'],
};
const OTHER_OPENERS = ['xdg-open', 'wslview', 'sensible-browser'];

/** A browser that starts needs so long to read the file. */
const READ_MS = 10_000;

interface OpenOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: string;
}

/**
 * Opens an address in the user's browser. The address may hold a secret: arguments can be seen by all, so that the browser
 * gets the path of a file that only this user can read, leads to the address, and is removed ten seconds later. Returns false
 * when nothing could be opened.
 */
export async function openPage(url: string, { env, platform }: OpenOptions): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'hookctl-'));
  try {
    await chmod(folder, 0o700);
    const file = join(folder, 'open.html');
    const target = url.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    const html = `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${target}"><title>hookctl</title>\n`;
    await writeFile(file, html, { mode: 0o600 });
    const openers = env.BROWSER === undefined ? [] : [env.BROWSER];
    for (const program of [...openers, ...(OPENERS[platform] ?? OTHER_OPENERS)]) {
      if (!(await starts(program, file, env))) continue;
      await delay(READ_MS);
      return true;
    }
    return false;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether a program runs, and has not failed a moment later. */
async function starts(program: string, file: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const child = spawn(program, [file], { env, stdio: 'ignore', detached: true });
  child.unref();
  const failed = new Promise<boolean>((resolve) => {
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
  return Promise.race([failed, delay(1_500, true)]);
}
