import { readFile, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join, resolve } from 'node:path';
import { failure, messageOf } from '../../errors.ts';
import { tarGz } from '../../lib/files/tar.ts';
import { say } from '../../lib/io.ts';
import { readToken } from '../../server/credentials.ts';
import type { Services } from '../../services.ts';
import { deliveryView, outgoingView, taskView } from '../../views.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { served } from '../kit/operate.ts';
import { bytes, printJson } from '../kit/print.ts';
import { examine } from './doctor.ts';

interface BugReportFlags extends JsonFlags {
  readonly output?: string;
  readonly log?: string;
  readonly offline?: boolean;
}

export const configureBugReport: CliCommand = (command, runner) => {
  command
    .description(
      'Write what a maintainer needs into one archive, without secrets, payloads and names of people. Nothing is sent: look into it first.',
    )
    .option('--output <file>', 'the archive to write; default hookctl-bug-report-<time>.tar.gz here')
    .option('--log <file>', 'add the last 1,000 lines of a log that `serve --log-file` wrote')
    .option('--offline', 'ask nothing outside this machine')
    .option('--json', 'print { file, bytes, files } as JSON')
    .examples('hookctl bug-report', 'hookctl bug-report --log hookctl.log --output report.tar.gz')
    .action(runner.action(command, report));
};

/** Rows of each list, newest first. */
const MOST = 100;
const LOG_LINES = 1_000;

async function report(app: Services, flags: BugReportFlags): Promise<0> {
  const { io, cwd, clock, located, redactor } = app;
  const token = await readToken(located.dataFolder).catch(() => null);
  redactor.learn('management token', () => (token === null ? [] : [token.reveal()]));
  // First: it loads the configuration, whose secrets are taken out of the rest.
  const findings = await examine(app, { isOffline: flags.offline ?? false });
  const files = new Map<string, string>([
    ['README.txt', README],
    ['doctor.json', json(findings)],
    ['environment.json', json(environment(app))],
    ['status.json', json(await statusOf(app))],
    ...(await configurationFiles(app)),
    ...storedRows(app),
  ]);
  if (flags.log !== undefined) files.set('log.txt', await lastLines(resolve(cwd, flags.log)));
  const clean = new Map([...files].map(([name, text]) => [name, redactor.redact(text)] as const));
  const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const target = resolve(cwd, flags.output ?? `hookctl-bug-report-${stamp}.tar.gz`);
  const archive = tarGz(clean, clock.now());
  try {
    await writeFile(target, archive, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw failure('not_written', `${target} can't be written: ${messageOf(error)}`, {
      fix: 'Name another file: hookctl bug-report --output <file>',
      cause: error,
    });
  }
  if (flags.json === true) printJson(io, { file: target, bytes: archive.length, files: [...clean.keys()] });
  else {
    say(io.out, `${target}: ${clean.size} files, ${bytes(archive.length)}`);
    say(io.err, `Look into it before you send it: tar -xzOf ${target} | less`);
  }
  return 0;
}

const README = `What \`hookctl bug-report\` gathered. Secrets are replaced; payloads, texts and names of people are left out.

doctor.json        what \`hookctl doctor\` found
environment.json   versions, and names of variables
status.json        what the server says of itself; null when none runs
webhooks.yml       the project's settings
webhooks.json      the webhooks of the data folder, without their secrets
deliveries.json    the newest deliveries: when, which event, how it ended
tasks.json         the newest tasks: when, which agent, how they ended
outbox.json        the newest posts: when, to which sender, how they ended
log.txt            the end of a log file, where --log named one
`;

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Without the newest deliveries, which have a file of their own, without people. */
async function statusOf(app: Services): Promise<object | null> {
  try {
    const view = await served(app);
    return view === null ? null : { ...view, recent_deliveries: undefined };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** Of variables the names alone: values may be secrets that nothing knows. */
function environment({ version, env, located }: Services) {
  return {
    ...{ hookctl: version, node: process.versions.node, sqlite: process.versions.sqlite },
    ...{ platform: process.platform, arch: process.arch, kernel: release(), located },
    variables: Object.keys(env).toSorted(),
  };
}

async function configurationFiles({ located }: Services): Promise<readonly (readonly [string, string])[]> {
  const { projectFile, dataFolder } = located;
  const text = (path: string) => readFile(path, 'utf8').catch(() => null);
  const yaml = projectFile === null ? null : await text(projectFile);
  const db = await text(join(dataFolder, 'webhooks.json'));
  return [
    ...(yaml === null ? [] : [['webhooks.yml', yaml] as const]),
    ...(db === null ? [] : [['webhooks.json', withoutValues(db)] as const]),
  ];
}

/** Whatever is called `value` is a secret there. */
function withoutValues(db: string): string {
  try {
    return json(JSON.parse(db, (key, value: unknown) => (key === 'value' ? '[left out]' : value)));
  } catch (error) {
    return `It is left out, because it is no JSON: ${messageOf(error)}\n`;
  }
}

function storedRows(app: Services): readonly (readonly [string, string])[] {
  const store = app.reader();
  if (store === null) return [];
  const rows: readonly (readonly [string, readonly object[], readonly string[]])[] = [
    [
      'deliveries.json',
      store.deliveries({ limit: MOST }).map(deliveryView),
      'id webhook provider event_type status reason attempts received_at settled_at size sample'.split(' '),
    ],
    [
      'tasks.json',
      store.tasks({ limit: MOST }).map(taskView),
      'id delivery_id agent command status error attempts created_at updated_at started_at completed_at'.split(
        ' ',
      ),
    ],
    [
      'outbox.json',
      store.outbox({ limit: MOST }).map(outgoingView),
      'id provider kind status reason attempts created_at next_attempt_at settled_at'.split(' '),
    ],
  ];
  return rows.map(([name, all, fields]) => [name, json(all.map((row) => only(row, fields)))] as const);
}

function only(row: object, fields: readonly string[]): object {
  return Object.fromEntries(Object.entries(row).filter(([name]) => fields.includes(name)));
}

async function lastLines(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8'))
      .split('\n')
      .slice(-LOG_LINES - 1)
      .join('\n');
  } catch (error) {
    throw failure('no_log', `${file} can't be read: ${messageOf(error)}`, {
      fix: 'Name the file of `hookctl serve --log-file <file>`, or leave --log out.',
    });
  }
}
