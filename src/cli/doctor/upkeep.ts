import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { findProgram } from '../../lib/process/find-program.ts';
import { programEnvironment, startProcess } from '../../lib/process/subprocess.ts';
import { storedProblems } from '../../server/problems.ts';
import { claudeView } from '../claude/status.ts';
import { type ReportView, troubleOf } from '../connect/check.ts';
import { managementCall } from '../kit/operate.ts';
import { countedNoun } from '../kit/print.ts';
import { managerNamed, stateOf } from '../service/managers.ts';
import { type Check, fault, faultAt, ok, warning } from './finding.ts';

export const configuration: Check = {
  name: 'configuration',
  look({ inspection: { problems, doubts, configuration: loaded } }) {
    const faults = problems.map(faultAt);
    const warnings = doubts.map((text) => warning(text));
    const count = loaded?.snapshot.webhooks.length ?? 0;
    return faults.length + warnings.length === 0
      ? [ok(`${countedNoun(count, 'webhook')}, no mistakes`)]
      : [...faults, ...warnings];
  },
};

export const claude: Check = {
  name: 'claude code',
  async look({ app, configuration: loaded }) {
    const view = await claudeView(app);
    if (!view.enabled) return [ok('its task list is switched off: claudeTasks in webhooks.yml')];
    const isAgent = [...(loaded?.agents.byName.values() ?? [])].some(
      ({ runner }) => runner.name === 'claude',
    );
    // Who has no Claude Code has no folder of it, either: one finding.
    const isAbsent = view.claude_version === null && !isAgent;
    const list =
      view.problem === null || (isAbsent && !view.exists)
        ? []
        : [fault(`tasks can't be written for it: ${view.problem}`, 'Mend that, then: hookctl claude status')];
    const text = `${view.claude_version ?? 'not found'}: ${view.note}`;
    const install =
      'Install it (https://code.claude.com/docs/en/setup), or switch claudeTasks off in webhooks.yml.';
    if (view.claude_version === null)
      return [...list, isAbsent ? warning(text, install) : fault(text, install)];
    if (view.task_tools === 'none') return [...list, fault(text, 'Update it: claude update')];
    if (view.task_tools === 'asked' && !view.installed)
      return [...list, warning(`${text}, and those of this project do not`, 'Type: hookctl claude install')];
    return [...list, ok(text)];
  },
};

export const agents: Check = {
  name: 'agents',
  look({ configuration: loaded, inspection }) {
    if (loaded === null) return [];
    if (loaded.agents.byName.size === 0) return [ok('none: tasks wait for a person or a session')];
    return inspection.agents.map(({ text, isDoubt }) => (isDoubt ? warning(text) : ok(text)));
  },
};

export const connections: Check = {
  name: 'connections',
  async look({ app, server, isOffline }) {
    const kept = app.reader()?.connections() ?? [];
    if (kept.length === 0) return [ok('none')];
    if (server === null || isOffline) {
      const broken = kept.flatMap(({ problem }) => (problem === null ? [] : fault(problem)));
      const why = isOffline ? '--offline' : 'no server runs';
      return [
        ...broken,
        ...(broken.length === kept.length
          ? []
          : [ok(`${countedNoun(kept.length - broken.length, 'hook')} not compared: ${why}`)]),
      ];
    }
    const call = await managementCall(app, 'doctor');
    const report = await call<ReportView>({
      method: 'POST',
      path: '/api/connections/check',
      body: { fix: false },
    });
    const trouble = troubleOf(report);
    const fix = 'Mend it: hookctl connect check --fix';
    return trouble.length === 0
      ? [ok(`${countedNoun(report.connections.length, 'hook')} as they should be`)]
      : trouble.map((text) => fault(text, fix));
  },
};

/** Opens the store for reading; what it throws is named here, once. */
export const store: Check = {
  name: 'store',
  look({ app }) {
    return [ok(app.reader() === null ? 'none yet' : 'it can be read')];
  },
};

export const problems: Check = {
  name: 'problems',
  look({ app }) {
    const store = app.reader();
    if (store === null) return [];
    // Broken connections have a check of their own.
    const found = storedProblems({ store, now: app.clock.now() }).filter(
      ({ key }) => !key.startsWith('connection:'),
    );
    return found.length === 0 ? [ok('none in the store')] : found.map(({ text }) => warning(text));
  },
};

export const service: Check = {
  name: 'service',
  async look({ app }) {
    const state = await stateOf(app, managerNamed(undefined));
    if (!state.installed) return [ok('none; make one: hookctl service install')];
    const paths = absolutePaths(await readFile(state.file, 'utf8'));
    const again = 'Write the unit anew: hookctl service install';
    if (paths.length === 0) return [fault(`${state.file} starts no Node with hookctl`, again)];
    const gone = paths.find((path) => !existsSync(path));
    if (gone !== undefined) return [fault(`${state.name} runs ${gone}, which is not there any more`, again)];
    if (state.active)
      return [
        state.enabled
          ? ok(`${state.name} is ${state.state}`)
          : warning(`${state.name} is ${state.state}, but does not start by itself`, again),
      ];
    const how = state.lastStatus === null ? '' : `, and ended with status ${state.lastStatus}`;
    return [
      fault(
        `${state.name} is ${state.state}${how}`,
        'See why: hookctl service logs. Start it: hookctl service restart',
      ),
    ];
  },
};

/** Node and hookctl, as a unit of systemd or an agent of launchd names them. */
function absolutePaths(unit: string): readonly string[] {
  const words = [
    ...unit.matchAll(
      /(?:^ExecStart=|")(\/[^"]+\/node|\/[^"]+\/hookctl(?:\.js)?)"|<string>(\/[^<]+\/node|\/[^<]+\/hookctl(?:\.js)?)<\/string>/gm,
    ),
  ];
  return words.map(([, systemd = '', launchd]) =>
    (launchd ?? systemd).replaceAll('%%', '%').replaceAll('$$', '$'),
  );
}

const NPM_MS = 20_000;

/** Asked by npm itself, so that its registry, proxy and certificates count. */
export const release: Check = {
  name: 'newest version',
  async look({ app, isOffline }) {
    const { env, cwd, version } = app;
    if (isOffline) return [ok(`not asked: --offline; this is ${version}`)];
    if ((await findProgram('npm', cwd, env.PATH)) === null) {
      return [warning('not asked: npm is not on the PATH', 'npm comes with Node: https://nodejs.org')];
    }
    const lines: string[] = [];
    const npm = await startProcess({
      ...{ program: 'npm', args: ['view', 'hookctl', 'version', '--json', '--fetch-retries=0'], cwd },
      env: programEnvironment(env, ...Object.keys(env).filter((name) => /^npm_config_/i.test(name))),
      howToGet: 'npm comes with Node.',
      onLine: (line, stream) => void (stream === 'stdout' && lines.push(line)),
    });
    const timer = setTimeout(() => void npm.stop(), NPM_MS);
    const { code } = await npm.ended;
    clearTimeout(timer);
    const said = lines.join('\n');
    if (code !== 0) {
      return /E404/.test(said)
        ? [ok(`this is ${version}; the registry that npm uses has no hookctl`)]
        : [
            warning(
              `npm could not say which is the newest: ${npmError(said, npm.lastLines())}`,
              'Try it: npm view hookctl version',
            ),
          ];
    }
    const newest = /"([^"]+)"/.exec(said)?.[1] ?? '';
    return isNewer(newest, version)
      ? [
          warning(
            `hookctl ${newest} is out; this is ${version}`,
            'Read UPGRADING.md, then: npm install -g hookctl',
          ),
        ]
      : [ok(`this is ${version}, the newest`)];
  },
};

function npmError(said: string, lastLines: readonly string[]): string {
  return /"summary":\s*"([^"]+)"/.exec(said)?.[1] ?? lastLines.at(-1) ?? 'no answer in time';
}

/** By numbers; what is behind a dash comes before the release. */
function isNewer(theirs: string, ours: string): boolean {
  const parts = (version: string) => version.split('-')[0]?.split('.').map(Number) ?? [];
  const [a, b] = [parts(theirs), parts(ours)];
  const at = a.findIndex((part, index) => part !== b[index]);
  return at >= 0 ? (a[at] ?? 0) > (b[at] ?? 0) : ours.includes('-') && !theirs.includes('-');
}
