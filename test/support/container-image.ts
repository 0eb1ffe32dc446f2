import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What the tests of a sandbox use inside. */
const PROGRAMS =
  'sh env cat tr grep head sed git setsid sleep seq ls touch rm mkdir id true test dirname'.split(' ');

/** The programs with their libraries, as they are on this machine, below a folder: an image needs no registry then. */
function copyPrograms(root: string): void {
  const copy = (path: string, at = path) => {
    mkdirSync(dirname(join(root, at)), { recursive: true });
    if (!existsSync(join(root, at))) copyFileSync(realpathSync(path), join(root, at));
  };
  const withLibraries = (path: string, at?: string) => {
    copy(path, at);
    const { stdout } = spawnSync('ldd', [path], { encoding: 'utf8' });
    for (const [, library = ''] of stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)) copy(library);
  };
  for (const name of PROGRAMS) {
    const path = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    const found = path.startsWith('/') ? path : `/usr/bin/${name}`;
    withLibraries(found, `/usr/bin/${name}`);
  }
  copy(join(root, 'usr/bin/sh'), '/bin/sh');
  withLibraries(process.execPath, '/usr/bin/node');
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
}

/** Makes an image of docker or podman out of this machine's programs. Null when it runs, otherwise why not. */
export function makeImage(use: string, name: string): string | null {
  const said = (args: readonly string[]) => {
    const { status, stderr, error } = spawnSync(use, [...args], { encoding: 'utf8', timeout: 180_000 });
    if (error !== undefined) return error.message;
    return status === 0 ? null : (stderr.trim().split('\n').at(-1) ?? `status ${status}`);
  };
  const absent = said(['version', '--format', '{{.Server.Version}}']);
  if (absent !== null) return absent;
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-image-'));
  try {
    copyPrograms(join(folder, 'root'));
    execFileSync('tar', ['-C', join(folder, 'root'), '-cf', join(folder, 'root.tar'), '.']);
    const broken = said(['import', join(folder, 'root.tar'), name]);
    return broken ?? said(['run', '--rm', '--network', 'none', '--entrypoint', 'true', name]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function removeImage(use: string, name: string): void {
  spawnSync(use, ['image', 'rm', '--force', name]);
}
