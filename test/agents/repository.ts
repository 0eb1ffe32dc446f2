import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const IDENTITY = ['-c', 'user.name=T', '-c', 'user.email=t@example.com', '-c', 'protocol.file.allow=always'];

/** Runs git in a folder; returns what it printed. */
export function git(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', [...IDENTITY, '-C', folder, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

const SHELL_AGENT = `#!/bin/sh
prompt=$(cat)
script=$(printf '%s' "$prompt" | sed -n 's/^sh: //p')
sh -c "$script"
echo Done.
`;

/** Makes a repository `code` in a project, with one commit, and `sh-agent`, which runs the lines `sh: …` of its prompt. */
export function repository(folder: string): void {
  const code = join(folder, 'code');
  mkdirSync(code);
  git(code, 'init', '-q', '-b', 'main');
  git(code, 'config', 'user.name', 'T');
  git(code, 'config', 'user.email', 't@example.com');
  writeFileSync(join(code, 'README'), 'one\n');
  writeFileSync(join(code, '.gitignore'), 'ignored\n');
  git(code, 'add', '.');
  git(code, 'commit', '-qm', 'One');
  const file = join(folder, 'sh-agent');
  writeFileSync(file, SHELL_AGENT);
  chmodSync(file, 0o755);
}
