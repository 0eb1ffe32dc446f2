import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the starts of all tests keep compiled code, so that only the first one compiles. */
    compiled: string;
  }
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Builds `dist/` where a source is newer, since the tests start the CLI from there: from `src/` a start takes four times as long. */
export default function setup({ provide }: TestProject): () => void {
  ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-compiled-'));
  provide('compiled', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}

export function ensureBuilt(): void {
  const built = join(ROOT, 'dist/cli.js');
  const sources = ['src', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.build.json'].flatMap(
    (name) => [
      join(ROOT, name),
      ...(name.includes('.')
        ? []
        : readdirSync(join(ROOT, name), { recursive: true, encoding: 'utf8' }).map((file) =>
            join(ROOT, name, file),
          )),
    ],
  );
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return;
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.js')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
