/** docker or podman as they work on this machine: which flags a container needs here, and the base image where no registry answers. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
/** The image that the Dockerfile starts from. */
const BASE = /^ARG NODE=(\S+)$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))?.[1] ?? '';

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Engine {
  readonly name: 'docker' | 'podman';
  /** Podman as an ordinary user: ids inside are mapped, unless it is told to keep them. */
  readonly isRootless: boolean;
  /** Options before the subcommand. */
  readonly before: readonly string[];
  /** Options of `build` alone. */
  readonly build: readonly string[];
  /** Options of `build` and `run` without which this machine refuses a container. */
  readonly needed: readonly string[];
  readonly hasHostNetwork: boolean;
  readonly run: (...args: readonly string[]) => Outcome;
}

function call(program: string, args: readonly string[], timeout = 60_000): Outcome {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout });
  return { status, stdout: stdout ?? '', stderr: stderr ?? '' };
}

const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? '';

/**
 * Makes the base image of Debian's packages, the Node of this checkout and npm's package, and gives it the Dockerfile's name.
 * `HOOKCTL_BASE_TAR` is a file that keeps it: written by root, whom debootstrap wants, and read by anybody.
 */
function makeBase(program: string, folder: string): string | null {
  const tar = process.env.HOOKCTL_BASE_TAR ?? join(folder, 'base.tar');
  if (!existsSync(tar)) {
    if (process.getuid?.() !== 0)
      return 'debootstrap wants root; HOOKCTL_BASE_TAR names no file that root made';
    if (spawnSync('which', ['debootstrap']).status !== 0) return 'debootstrap is not installed';
    const root = join(folder, 'base');
    const made = call('debootstrap', ['--variant=minbase', 'bookworm', root], 300_000);
    if (made.status !== 0) return `debootstrap: ${lastLine(made.stdout + made.stderr)}`;
    cpSync(process.execPath, join(root, 'usr/local/bin/node'));
    const npm = dirname(dirname(realpathSync(call('which', ['npm']).stdout.trim())));
    mkdirSync(join(root, 'usr/local/lib/node_modules'), { recursive: true });
    cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
    for (const name of ['npm', 'npx'])
      symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name));
    const user = 'groupadd -g 1000 node && useradd -u 1000 -g node -m -s /bin/bash node';
    const added = call('chroot', [root, 'sh', '-c', user]);
    if (added.status !== 0) return `useradd: ${lastLine(added.stderr)}`;
    const authorities = process.env.NODE_EXTRA_CA_CERTS;
    if (authorities !== undefined) cpSync(authorities, join(root, 'usr/local/share/authorities.pem'));
    const packed = call('tar', ['-C', root, '-cf', tar, '--numeric-owner', '.']);
    rmSync(root, { recursive: true, force: true });
    if (packed.status !== 0) return `tar: ${lastLine(packed.stderr)}`;
  }
  // Node warns of a file that is not there, and goes on.
  const trusted = ['--change', 'ENV NODE_EXTRA_CA_CERTS=/usr/local/share/authorities.pem'];
  const imported = call(program, ['import', ...trusted, '--change', 'CMD ["node"]', tar, BASE], 180_000);
  return imported.status === 0 ? null : `${program} import: ${lastLine(imported.stderr)}`;
}

/** Limits of this process; a container that asks for more is refused where the machine's root may not raise them. */
function limits(): readonly string[] {
  const [files = '', processes = ''] = call('sh', ['-c', 'ulimit -Hn; ulimit -Hu']).stdout.split('\n');
  const capped = (most: string) => (/^\d+$/.test(most) ? Math.min(Number(most), 4096) : 4096);
  return [`nofile=${capped(files)}`, `nproc=${capped(processes)}`].flatMap((limit) => ['--ulimit', limit]);
}

/** The first way in which a container of the base image runs, or what was refused. */
function waysOf(name: Engine['name']): readonly Pick<Engine, 'before' | 'needed' | 'hasHostNetwork'>[] {
  const runtimes = name === 'podman' ? [[], ['--runtime', 'runc']] : [[]];
  return runtimes.flatMap((before) =>
    [[], limits()].flatMap((limited) =>
      [false, true].map((hasHostNetwork) => ({
        before,
        needed: [...limited, ...(hasHostNetwork ? ['--network', 'host'] : [])],
        hasHostNetwork,
      })),
    ),
  );
}

/** An engine that runs containers here. @param say told what did not work, one line each. */
export function engine(folder: string, say: (line: string) => void): Engine | null {
  for (const name of ['docker', 'podman'] as const) {
    const info = call(name, ['info', '--format', '{{json .}}'], 20_000);
    if (info.status !== 0) {
      say(`${name}: ${lastLine(info.stderr) || 'not installed'}`);
      continue;
    }
    if (call(name, ['image', 'inspect', BASE]).status !== 0 && call(name, ['pull', BASE]).status !== 0) {
      const mistake = makeBase(name, folder);
      say(
        mistake === null
          ? `${BASE}: no registry gives it; made here of Debian's packages`
          : `${BASE}: ${mistake}`,
      );
      if (mistake !== null) continue;
    }
    for (const way of waysOf(name)) {
      const tried = call(name, [
        ...way.before,
        'run',
        '--rm',
        '--init',
        ...way.needed,
        BASE,
        'node',
        '--version',
      ]);
      if (tried.status === 0) {
        const isRootless = name === 'podman' && process.getuid?.() !== 0;
        const run = (...args: readonly string[]) => call(name, [...way.before, ...args], 900_000);
        // Podman's own format has no health check; its driver vfs copies the whole image for each step that it keeps.
        const layers = /"graphDriverName":\s*"vfs"/.test(info.stdout) ? ['--layers=false'] : [];
        const build = name === 'podman' ? ['--format', 'docker', ...layers] : [];
        return { name, isRootless, ...way, build, run };
      }
      say(`${[name, ...way.before, 'run', ...way.needed].join(' ')}: ${lastLine(tried.stderr)}`);
    }
  }
  return null;
}
