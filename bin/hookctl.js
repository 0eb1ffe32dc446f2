#!/usr/bin/env node
// Plain JavaScript that any Node can read: it must start on the old ones to say what they lack.
// An `import` of `node:fs` evaluates all that it exports, which takes longer than the rest of this file.
const builtin = async (name) => process.getBuiltinModule?.(name) ?? import(name);
const { existsSync, lstatSync, mkdirSync } = await builtin('node:fs');
const { join } = await builtin('node:path');
const { fileURLToPath } = await builtin('node:url');

const NEEDED = [22, 22];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const isBuilt = existsSync(fileURLToPath(new URL('../dist/cli.js', import.meta.url)));

if (!isBuilt) {
  process.stderr.write('hookctl is not built yet. Type: npm ci\n');
  process.exitCode = 1;
} else if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) {
  await start();
} else if (existsSync(pinned)) {
  await rerun();
} else {
  process.stderr.write(
    `hookctl needs Node ${NEEDED.join('.')} or newer; this is ${process.versions.node}. Install a newer one from https://nodejs.org.\n`,
  );
  process.exitCode = 1;
}

async function start() {
  if (process.channel !== undefined) followParent();
  await keepCompiledCode();
  if (process.argv.includes('--verbose')) process.setSourceMapsEnabled(true);
  const { main } = await import('../dist/cli.js');
  const { processHost } = await import('../dist/process-host.js');
  process.exitCode = await main(process.argv.slice(2), processHost());
}

/** Spares later starts the compiling. The folder must be the user's own: what is in it is run. Without one all works as well. */
async function keepCompiledCode() {
  const { HOME, XDG_CACHE_HOME } = process.env;
  const caches = XDG_CACHE_HOME || (HOME && join(HOME, '.cache'));
  if (!caches) return;
  const folder = join(caches, 'hookctl');
  try {
    for (const path of [caches, folder]) {
      if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
    }
    const found = lstatSync(folder);
    const isOwn = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
    if (isOwn) (await builtin('node:module')).enableCompileCache(folder);
  } catch {
    // Read-only, or no such place.
  }
}

/** Runs this file again on the Node that `npm ci` brought along, and passes signals and exit status on. */
async function rerun() {
  const { spawn } = await import('node:child_process');
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // The terminal sends Ctrl-C to the whole foreground group: passed on, it would count as the second one.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
  });
}

/** A parent that was killed can't pass signals on: its end is one. */
function followParent() {
  process.channel.unref();
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
