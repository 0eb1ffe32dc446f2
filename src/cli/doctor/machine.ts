import { constants } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { requireOwnFolder } from '../../config/project/locate.ts';
import { closeServer, listenOrExplain } from '../../lib/http/listen.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import { neededNode } from '../../package-root.ts';
import { addressOf } from '../../server/address.ts';
import { MIN_FREE_BYTES } from '../../server/api/readiness.ts';
import { bytes } from '../kit/print.ts';
import { type Check, type Examined, type Finding, fault, faultOf, ok, warning } from './finding.ts';

/** Below this a person should make room before hookctl stops taking deliveries. */
const LITTLE_BYTES = 1_000_000_000;
/** `statfs` of network file systems (linux/magic.h): NFS, SMB, CIFS, SMB2. */
const NETWORK_TYPES = [0x6969, 0x517b, 0xff534d42, 0xfe534d42];

/** Whether this Node runs hookctl, and for long. */
export function checkNode(version: string): Finding {
  const needed = neededNode();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number);
  const isOld = major < neededMajor || (major === neededMajor && minor < neededMinor);
  const fix = 'Install the newest Node with long-term support: https://nodejs.org';
  if (isOld) return fault(`Node ${version} is too old: hookctl needs ${needed} or newer`, fix);
  if (major % 2 === 1) return warning(`Node ${version} is no release with long-term support`, fix);
  return ok(`Node ${version} (${process.execPath})`);
}

export const node: Check = { name: 'node', look: () => [checkNode(process.versions.node)] };

export const folder: Check = {
  name: 'folder',
  async look({ app: { located } }) {
    const { dataFolder, projectFile, ignored } = located;
    const findings: Finding[] = [];
    if (ignored !== undefined) findings.push(warning(ignored));
    const found = await stat(dataFolder).catch(() => null);
    if (found === null) {
      const parent = await nearestFolder(dirname(dataFolder));
      const refusal = await writeRefusal(parent);
      return refusal === null
        ? [...findings, ok(`${dataFolder} is not made yet; \`hookctl serve\` makes it`)]
        : [...findings, fault(`${dataFolder} can't be made: ${parent} ${refusal}`, ELSEWHERE)];
    }
    if (!found.isDirectory()) {
      const fix = `Move it away: mv ${shellQuote(dataFolder)} ${shellQuote(`${dataFolder}.old`)}`;
      return [...findings, fault(`${dataFolder} is a file where the data folder should be`, fix)];
    }
    try {
      requireOwnFolder(dataFolder);
    } catch (error) {
      return [...findings, faultOf(error)];
    }
    const refusal = await writeRefusal(dataFolder);
    if (refusal !== null)
      return [...findings, fault(`${dataFolder} ${refusal}: no delivery can be stored`, ELSEWHERE)];
    const { type } = await statfs(dataFolder);
    if (NETWORK_TYPES.includes(type)) {
      const fix = 'Put it on a local disk: set HOOKCTL_HOME, and move what is in it.';
      findings.push(fault(`${dataFolder} is on a network file system, where locks do not hold`, fix));
    }
    const project = projectFile ?? 'no webhooks.yml, built-in webhooks only';
    return [...findings, ok(`${dataFolder}; ${project}`)];
  },
};

const ELSEWHERE = 'Make it writable, or name another folder with HOOKCTL_HOME.';

async function nearestFolder(path: string): Promise<string> {
  return (await stat(path).catch(() => null)) === null ? nearestFolder(dirname(path)) : path;
}

/** Why this user cannot write into a folder; null when it can. */
async function writeRefusal(path: string): Promise<string | null> {
  try {
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS'
      ? 'is on a read-only file system'
      : 'is not writable for you';
  }
}

export const modes: Check = {
  name: 'modes',
  async look({ app: { located } }) {
    const open = await openFiles(located.dataFolder);
    if (open.length === 0) return [ok('no file of the data folder is open to others')];
    const named = open.slice(0, 3).join(', ');
    const more = open.length > 3 ? ` and ${open.length - 3} more` : '';
    const [is, they] = open.length === 1 ? ['is', 'it'] : ['are', 'they'];
    return [
      warning(
        `${named}${more} ${is} readable by others as soon as ${they} ${is} copied elsewhere`,
        `Type: chmod -R go-rwx ${shellQuote(located.dataFolder)}`,
      ),
    ];
  },
};

/** Files that hold secrets or payloads, and that others may read or change. */
async function openFiles(dataFolder: string): Promise<readonly string[]> {
  const SECRET =
    /^(?:token|service\.env|webhooks\.json|hookctl\.db|serve\.json|secrets\/.*|github-apps\/.*)$/;
  const names = await readdir(dataFolder, { recursive: true }).catch(() => []);
  const found: string[] = [];
  for (const name of names.filter((each) => SECRET.test(each))) {
    const stats = await stat(join(dataFolder, name)).catch(() => null);
    if (stats?.isFile() === true && (stats.mode & 0o077) !== 0) found.push(name);
  }
  return found;
}

/** Whether there is room for deliveries. */
export function checkDisk(free: number, dataFolder: string): Finding {
  const text = `${bytes(free)} are free where ${dataFolder} is`;
  const fix = 'Make room, or keep less: hookctl delivery prune --before 7d';
  if (free < MIN_FREE_BYTES) return fault(`only ${text}: deliveries may be refused (503)`, fix);
  return free < LITTLE_BYTES ? warning(`only ${text}`, fix) : ok(text);
}

export const disk: Check = {
  name: 'disk',
  async look({ app: { located, cwd } }) {
    const isThere = (await stat(located.dataFolder).catch(() => null)) !== null;
    const { bavail, bsize } = await statfs(isThere ? located.dataFolder : cwd);
    return [checkDisk(bavail * bsize, located.dataFolder)];
  },
};

export const ports: Check = {
  name: 'ports',
  async look({ configuration, server }) {
    if (server?.server != null) {
      return [ok(`the server listens on ${server.server.ingress_url} and ${server.server.management_url}`)];
    }
    if (configuration === null) return [];
    const { host, port, managementPort } = addressOf(configuration.project, { insecure: [] });
    const places = [
      { host, port, flag: '--port' },
      { host: '127.0.0.1', port: managementPort, flag: '--management-port' },
    ];
    const found = await Promise.all(places.map(tryToListen));
    return found.every(({ state }) => state === 'ok')
      ? [ok(found.map(({ text }) => text).join(', '))]
      : found;
  },
};

async function tryToListen(place: Parameters<typeof listenOrExplain>[1]): Promise<Finding> {
  const server = createServer();
  try {
    await listenOrExplain(server, place);
    await closeServer(server);
    return ok(`${place.host}:${place.port} is free`);
  } catch (error) {
    return faultOf(error);
  }
}

/** How far a signed time may be off for most senders: Slack and Standard Webhooks refuse after five minutes. */
const SIGNED_MS = 300_000;
const NOTABLE_MS = 30_000;

/** The clock beside those of servers that were asked; `dates` by host, in milliseconds that this machine is ahead. */
export function clockFindings(
  dates: ReadonlyMap<string, number>,
  { isOffline }: Examined,
): readonly Finding[] {
  const [worst] = [...dates].toSorted(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  if (worst === undefined) {
    return [ok(`not compared: ${isOffline ? '--offline' : 'no server outside was asked'}`)];
  }
  const [host, ahead] = worst;
  const off = `${Math.round(Math.abs(ahead) / 1000)} s ${ahead > 0 ? 'ahead of' : 'behind'} ${host}`;
  const fix = 'Set it by the network: sudo timedatectl set-ntp true (macOS: sudo sntp -sS time.apple.com)';
  if (Math.abs(ahead) >= SIGNED_MS)
    return [fault(`the clock is ${off}: signatures with a time are refused`, fix)];
  return [Math.abs(ahead) >= NOTABLE_MS ? warning(`the clock is ${off}`, fix) : ok(`as ${host} has it`)];
}
