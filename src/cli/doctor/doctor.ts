import { commandsOut, paint, say } from '../../lib/io.ts';
import { escapeInvisible } from '../../lib/text/escape-invisible.ts';
import type { StatusView } from '../../server/status.ts';
import type { Services } from '../../services.ts';
import { inspectConfiguration } from '../check.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { served } from '../kit/operate.ts';
import { countedNoun, printJson } from '../kit/print.ts';
import { credentials, githubApps, secrets } from './accounts.ts';
import { type Check, type Examined, type Finding, faultOf } from './finding.ts';
import { clockFindings, disk, folder, modes, node, ports } from './machine.ts';
import { server, tunnel, url } from './reach.ts';
import { agents, claude, configuration, connections, problems, release, service, store } from './upkeep.ts';

interface DoctorFlags extends JsonFlags {
  readonly offline?: boolean;
}

export const configureDoctor: CliCommand = (command, runner) => {
  command
    .description(
      'Look at this installation part by part: each is ok, a warning or a fault, with what to type. Changes nothing; exit 1 with faults.',
    )
    .option('--offline', 'ask nothing outside this machine')
    .option('--json', 'print { ok, findings } on stdout')
    .examples('hookctl doctor', 'hookctl doctor --json | jq \'.findings[] | select(.state != "ok")\'')
    .action(runner.action(command, doctor));
};

/** In the order in which they are shown; the clock is compared with what these asked. */
const CHECKS: readonly Check[] = [
  node,
  folder,
  modes,
  disk,
  store,
  configuration,
  secrets,
  server,
  ports,
  tunnel,
  url,
  credentials,
  githubApps,
  connections,
  claude,
  agents,
  service,
  problems,
  release,
];

/** A finding, and the part of the installation that it is about. */
interface NamedFinding extends Finding {
  readonly check: string;
}

async function doctor(app: Services, { json, offline = false }: DoctorFlags): Promise<0 | 1> {
  const findings = await examine(app, { isOffline: offline });
  const faults = findings.filter(({ state }) => state === 'fault').length;
  if (json === true) printJson(app.io, { ok: faults === 0, findings });
  else print(app, findings, faults);
  return faults === 0 ? 0 : 1;
}

/** Looks at everything. What a check throws is its fault. */
export async function examine(
  app: Services,
  { isOffline }: Pick<Examined, 'isOffline'>,
): Promise<readonly NamedFinding[]> {
  const dates = new Map<string, number>();
  const noteDate: Examined['noteDate'] = (host, date, localMs) => {
    const theirs = Date.parse(date ?? '');
    if (!Number.isNaN(theirs)) dates.set(host, localMs - theirs);
  };
  const early: NamedFinding[] = [];
  const view = await served(app).catch((error: unknown): StatusView | null => {
    early.push({ check: 'server', ...faultOf(error) });
    return null;
  });
  const inspection = await inspectConfiguration(app).catch((error: unknown) => {
    early.push({ check: 'configuration', ...faultOf(error) });
    return null;
  });
  const examined: Examined = {
    ...{ app, isOffline, noteDate, server: view },
    inspection: inspection ?? { configuration: null, problems: [], notices: [], doubts: [], agents: [] },
    configuration: inspection?.configuration ?? null,
  };
  const checks = CHECKS.filter(({ name }) => !early.some(({ check }) => check === name));
  const found = await Promise.all(checks.map((check) => looked(check, examined)));
  const clock = clockFindings(dates, examined).map((finding) => ({ check: 'clock', ...finding }));
  return once([...early, ...found.flat(), ...clock]);
}

/** What several checks came upon, such as a damaged store, is shown where it was found first. */
function once(findings: readonly NamedFinding[]): readonly NamedFinding[] {
  const isFirst = ({ state, text }: NamedFinding, index: number) =>
    state === 'ok' || findings.findIndex((each) => each.text === text && each.state === state) === index;
  return findings.filter(isFirst);
}

async function looked({ name, look }: Check, examined: Examined): Promise<readonly NamedFinding[]> {
  try {
    return (await look(examined)).map((finding) => ({ check: name, ...finding }));
  } catch (error) {
    return [{ check: name, ...faultOf(error) }];
  }
}

const STYLES = { ok: 'green', warning: 'yellow', fault: 'red' } as const;

function print({ io }: Services, findings: readonly NamedFinding[], faults: number): void {
  const out = commandsOut(io);
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, state, text, fix } of findings) {
    const [first = '', ...more] = escapeInvisible(text).split('\n');
    say(out, `${paint(out, STYLES[state], state.padEnd(7))}  ${check.padEnd(width)}  ${first}`);
    for (const line of [...more, ...(fix === null ? [] : [escapeInvisible(fix)])])
      say(out, `${' '.repeat(width + 11)}${line.trimStart()}`);
  }
  const warnings = findings.filter(({ state }) => state === 'warning').length;
  say(io.err, `${countedNoun(faults, 'fault')}, ${countedNoun(warnings, 'warning')}`);
}
