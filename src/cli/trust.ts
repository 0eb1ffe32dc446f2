import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { keepTrustedFolders, trustedFolders, trustFile } from '../config/project/trust.ts';
import { notFound, usageError } from '../errors.ts';
import { say } from '../lib/io.ts';
import type { CliCommand, Runner } from './kit/command.ts';
import { printJson } from './kit/print.ts';

interface TrustFlags {
  readonly list?: boolean;
  readonly remove?: boolean;
  readonly json?: boolean;
}

export const configureTrust: CliCommand = (command, runner) => {
  command
    .argument('[folder]', 'folder whose webhooks.yml and modules are used, even if others may write to them')
    .option('--remove', 'no longer trust the folder')
    .option('--list', 'list the trusted folders')
    .option('--json', 'with --list: print an array')
    .examples('hookctl trust ~/work/shop', 'hookctl trust --remove ~/work/shop')
    .action((folder: string | undefined, flags: TrustFlags) => run(runner, folder, flags));
};

async function run({ host }: Runner, folder: string | undefined, flags: TrustFlags): Promise<void> {
  const { io, cwd } = host;
  const known = trustedFolders(host);
  if (flags.list === true) {
    if (flags.json === true) printJson(io, known);
    else if (known.length === 0) say(io.err, 'No folder is trusted. To trust one: hookctl trust <folder>');
    else for (const path of known) say(io.out, path);
    return;
  }
  if (folder === undefined)
    throw usageError('name a folder', 'hookctl trust . - or list them: hookctl trust --list');
  const path = resolve(cwd, folder);
  if (flags.remove === true) {
    const real = known.find((it) => it === path || it === realOf(path));
    if (real === undefined)
      throw notFound(`${path} is not trusted`, 'List those that are: hookctl trust --list');
    await keepTrustedFolders(
      host,
      known.filter((it) => it !== real),
    );
    say(io.out, `${real} is no longer trusted`);
    return;
  }
  const real = realOf(path);
  if (real === null) throw notFound(`there is no folder ${path}`);
  if (real === '/')
    throw usageError('/ would trust every file of the machine', 'Give the folder of one project.');
  await keepTrustedFolders(host, [...known, real]);
  say(io.out, `trusted ${real}: its webhooks.yml is used, and its modules run as you`);
  say(io.err, `Listed in ${trustFile(host)}. To undo: hookctl trust --remove ${folder}`);
}

/** The real path of a folder. Null when there is none. */
function realOf(path: string): string | null {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? realpathSync(path) : null;
}
