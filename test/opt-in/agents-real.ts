/**
 * `npm run test:agents:real [name …]`: the real codex, opencode, gemini, copilot and Claude Code from npm, offline, against loopback
 * model servers. Installs them into a folder that is thrown away (1 GB), unless HOOKCTL_AGENTS names one that has them.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runnerNamed } from '../../src/agents/index.ts';
import type { CommonOptions, LogLine, RunOrder, RunResult } from '../../src/agents/runner.ts';
import { findProgram } from '../../src/lib/process/find-program.ts';
import { aRun, TASK } from '../agents/values-of-runs.ts';
import { type Mood, startModelApis } from './model-apis.ts';

const run = promisify(execFile);

const PACKAGES: Readonly<Record<string, string>> = {
  codex: '@openai/codex@0.171.0',
  opencode: 'opencode-ai@1.18.33',
  gemini: '@google/gemini-cli@0.61.0',
  copilot: '@github/copilot@1.0.102',
  claude: '@anthropic-ai/claude-code@2.1.332',
};

const chosen = process.argv.slice(2);
const names = Object.keys(PACKAGES).filter((name) => chosen.length === 0 || chosen.includes(name));
const root = realpathSync(mkdtempSync(join(tmpdir(), 'hookctl-agents-real-')));
const installed = process.env.HOOKCTL_AGENTS ?? join(root, 'installed');
const tally = { passed: 0, failed: 0, skipped: 0 };

interface Ran {
  readonly result: RunResult;
  readonly session: string | null;
  readonly ms: number;
  /** Milliseconds from the stop to the end. */
  readonly endedIn: number;
  readonly log: readonly LogLine[];
  readonly listedBy: readonly string[];
}

const TOKEN = 'a-token-of-this-run-alone';

/** The home of one agent, with all that it needs to find the model server. */
interface Agent {
  readonly name: string;
  readonly home: string;
  readonly folder: string;
  run(mood: Mood, prompt: string, more?: More): Promise<Ran>;
}

interface More {
  readonly earlier?: Ran;
  readonly session?: string;
  /** Ends the run this long after the model was asked. */
  readonly stopAfterMs?: number;
  readonly timeout?: string;
  readonly budgetUsd?: number;
}

/** What the agent's settings and files say of the server. */
function configured(
  name: string,
  home: string,
  url: string,
): { readonly env: Readonly<Record<string, string>>; readonly settings: object } {
  const file = (path: string, content: string) => {
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), content);
  };
  switch (name) {
    case 'codex': {
      const provider = `[model_providers.mock]\nname = "mock"\nbase_url = "${url}/v1"\nenv_key = "MOCK_KEY"\nwire_api = "responses"\nrequest_max_retries = 1\nstream_max_retries = 1\n`;
      file('.codex/config.toml', `model_provider = "mock"\nmodel = "mock-model"\n${provider}`);
      return { env: { MOCK_KEY: 'a-key-for-nothing' }, settings: { model: 'mock-model', env: ['MOCK_KEY'] } };
    }
    case 'opencode': {
      const model = { name: 'mock', cost: { input: 1000, output: 2000, cache_read: 0, cache_write: 0 } };
      const options = { baseURL: `${url}/v1`, apiKey: 'a-key-for-nothing' };
      const provider = {
        mock: { npm: '@ai-sdk/openai-compatible', options, models: { 'mock-model': model } },
      };
      file('.config/opencode/opencode.json', JSON.stringify({ provider }));
      return { env: {}, settings: { model: 'mock/mock-model' } };
    }
    case 'gemini':
      file(
        '.gemini/settings.json',
        JSON.stringify({
          security: { auth: { selectedType: 'gemini-api-key' } },
          general: { maxAttempts: 2 },
        }),
      );
      return {
        env: { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: 'a-key-for-nothing' },
        settings: { model: 'gemini-2.5-flash' },
      };
    case 'copilot':
      return {
        env: {
          COPILOT_PROVIDER_BASE_URL: `${url}/v1`,
          COPILOT_PROVIDER_API_KEY: 'a-key-for-nothing-at-all',
          COPILOT_MODEL: 'mock-model',
        },
        settings: {},
      };
    default:
      return {
        env: {
          ANTHROPIC_BASE_URL: url,
          ANTHROPIC_API_KEY: 'sk-ant-a-key-for-nothing',
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
          CLAUDE_CODE_MAX_RETRIES: '2',
        },
        settings: { model: 'claude-sonnet-4-5' },
      };
  }
}

/** As `server/api/runs.ts` makes it. */
function environmentAt(url: string): RunOrder<CommonOptions>['environment'] {
  const hookctl = { type: 'http', url, headers: { Authorization: `Bearer ${TOKEN}` } };
  return {
    mcpConfig: JSON.stringify({ mcpServers: { hookctl } }),
    allowedTools: ['mcp__hookctl'],
    env: { HOOKCTL_MCP_URL: url, HOOKCTL_RUN_TOKEN: TOKEN },
  };
}

function agentIn(name: string, program: string): Agent {
  const home = join(root, name);
  const folder = join(home, 'work');
  mkdirSync(folder, { recursive: true });
  const runner = runnerNamed(name);
  if (runner === null) throw new Error(`there is no runner ${name}`);

  async function runOnce(mood: Mood, prompt: string, more: More = {}): Promise<Ran> {
    const apis = await startModelApis(mood);
    const { env, settings } = configured(name, home, apis.url);
    const budget = more.budgetUsd === undefined ? {} : { budgetUsd: more.budgetUsd };
    const written = { use: name, program, timeout: more.timeout ?? '90s', ...settings, ...budget };
    const options = runner?.options.parse(written) as unknown as CommonOptions;
    const scratch = mkdtempSync(join(root, 'scratch-'));
    const log: LogLine[] = [];
    let session: string | null = more.session ?? more.earlier?.session ?? null;
    const order: RunOrder<CommonOptions> = {
      ...{ run: aRun(folder), task: TASK, options, folder, sandbox: null, scratch, projectFolder: folder },
      ...{ dataFolder: join(home, 'data'), prompt, secretNames: new Set<string>(), taskList: null, session },
      ...{ checkouts: [], otherFolders: [] },
      ...{ meter: more.earlier?.result.meter ?? [], environment: environmentAt(`${apis.url}/mcp`) },
      priceOf: (tokens) =>
        tokens.reduce((sum, each) => sum + (each.input + each.cached + each.output) / 1000, 0),
      env: {
        PATH: process.env.PATH,
        HOME: home,
        LANG: 'C.UTF-8',
        NO_PROXY: '127.0.0.1',
        no_proxy: '127.0.0.1',
        ...env,
      },
    };
    const startedAt = performance.now();
    let stoppedAt = startedAt;
    try {
      const started = await runner?.start(order, {
        log: (line) => log.push(line),
        started: () => undefined,
        session: (id) => {
          session = id;
        },
      });
      if (started === undefined) throw new Error('it did not start');
      if (more.stopAfterMs !== undefined) {
        const until = performance.now() + 60_000;
        while (apis.requests() === 0 && performance.now() < until)
          await new Promise((done) => setTimeout(done, 50));
        setTimeout(() => {
          stoppedAt = performance.now();
          started.stop('the test ends it');
        }, more.stopAfterMs);
      }
      const result = await started.result;
      const [ms, endedIn] = [startedAt, stoppedAt].map((at) => Math.round(performance.now() - at));
      return { result, session, ms: ms ?? 0, endedIn: endedIn ?? 0, log, listedBy: apis.listedBy };
    } finally {
      await apis.close();
    }
  }
  return { name, home, folder, run: runOnce };
}

/** One case: what it came to, and each thing that is not as it should be. */
function judge(name: string, what: string, ran: Ran, wrong: readonly (string | false | null)[]): void {
  const faults = wrong.filter((each) => typeof each === 'string');
  tally[faults.length === 0 ? 'passed' : 'failed'] += 1;
  const { state, cause = '-', usage, text } = ran.result;
  const { inputTokens, outputTokens, costUsd } = usage;
  const facts = `${state} ${cause} in ${inputTokens} out ${outputTokens} $${costUsd} session ${ran.session} ${ran.ms} ms`;
  process.stdout.write(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${what}: ${facts}\n`);
  if (faults.length === 0) return;
  process.stdout.write(`     ${faults.join('; ')}\n     ${JSON.stringify(text).slice(0, 300)}\n`);
  for (const { kind, text: line } of ran.log.slice(-5))
    process.stdout.write(`     ${kind}: ${line.slice(0, 200)}\n`);
}

const unless = (isRight: boolean, fault: string) => (isRight ? null : fault);

async function allCases(agent: Agent): Promise<void> {
  const { name } = agent;
  const first = await agent.run({ says: 'The first answer.' }, 'Say hello.');
  const { usage } = first.result;
  judge(name, 'first run', first, [
    unless(first.result.state === 'completed', 'it has not completed'),
    unless(first.result.text === 'The first answer.', 'the text is another'),
    unless((usage.inputTokens ?? 0) > 0 && (usage.outputTokens ?? 0) > 0, 'tokens are missing'),
    unless((usage.costUsd ?? 0) > 0, 'the cost is missing'),
    unless(first.session !== null, 'the session is missing'),
    unless(first.listedBy.includes(`Bearer ${TOKEN}`), 'it has not listed the tools of hookctl'),
  ]);
  const second = await agent.run({ says: 'The second answer.' }, 'Say more.', { earlier: first });
  judge(name, 'resume', second, [
    unless(second.result.state === 'completed', 'it has not completed'),
    unless(second.result.text === 'The second answer.', 'the text is another'),
    unless(second.session === first.session, 'the session is another'),
    unless(
      Math.abs((second.result.usage.costUsd ?? 0) - (usage.costUsd ?? 0)) < 1e-9,
      'it costs something else',
    ),
    unless(
      second.result.usage.outputTokens === usage.outputTokens,
      `its output tokens are not ${usage.outputTokens}`,
    ),
  ]);
  const gone =
    { codex: crypto.randomUUID(), opencode: 'ses_dd61f44d4ffe41ImF1fTMbWpxq' }[name] ?? crypto.randomUUID();
  const lost = await agent.run({ says: 'Here again.' }, 'Go on.', { session: gone });
  judge(name, 'unknown session', lost, [
    unless(lost.result.state === 'completed', 'it has not completed'),
    unless(lost.result.text.includes('(The earlier session was gone'), 'the result does not say so'),
    unless(lost.session !== gone, 'the session is the old one'),
  ]);
  // Gemini deletes a session that was once resumed when another one begins, unless it is told not to.
  const third = await agent.run({ says: 'The third answer.' }, 'And more.', { earlier: second });
  judge(name, 'resume after another session', third, [
    unless(third.result.text === 'The third answer.', 'the text is another'),
    unless(third.session === first.session, 'the session is another'),
  ]);
  const stopped = await agent.run('silent', 'Think long.', { stopAfterMs: 500 });
  judge(name, 'SIGTERM', stopped, [
    unless(stopped.result.state === 'failed' && stopped.result.cause === 'stopped', 'it was not stopped'),
    unless(stopped.endedIn < 10_000, 'it took long to end'),
  ]);
  // Claude Code keeps within its budget by itself, and ends after the answer that goes beyond.
  if (name !== 'claude') {
    const spent = await agent.run('calls', 'Look.', { budgetUsd: 0.001, timeout: '3m' });
    judge(name, 'budget in the middle of a run', spent, [
      unless(spent.result.cause === 'stopped', 'it was not stopped'),
      unless(spent.result.text.includes('its budget is $0.001'), 'it does not say so'),
      unless((spent.result.usage.inputTokens ?? 0) > 0, 'its tokens are not known'),
    ]);
  }
  // Each tries again by itself first; OpenCode knows no setting for how often, and takes two minutes.
  const refusals = [
    ['401', 401, 'no_login'],
    ['429', 429, 'rate_limited'],
    ['500', 500, 'failed'],
  ] as const;
  for (const [what, status, cause] of refusals) {
    const refused = await agent.run({ status }, 'Say hello.', { timeout: '5m' });
    judge(name, what, refused, [
      unless(refused.result.state === 'failed', 'it has not failed'),
      unless(refused.result.cause === cause, `the cause is not ${cause}`),
      unless(refused.result.usage.costUsd === 0, 'it is said to cost something'),
    ]);
  }
}

async function install(): Promise<void> {
  if (process.env.HOOKCTL_AGENTS !== undefined) return;
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(installed, 'package.json'), '{"private":true}');
  const packages = names.map((name) => PACKAGES[name] ?? '');
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', installed, ...packages], {
    cwd: installed,
  });
}

try {
  await install();
  await Promise.all(
    names.map(async (name) => {
      const program = join(installed, 'node_modules/.bin', name);
      if (!existsSync(program) || (await findProgram(program, root, '')) === null) {
        tally.skipped += name === 'claude' ? 8 : 9;
        process.stdout.write(`skip ${name}: it is not installed\n`);
        return;
      }
      await allCases(agentIn(name, program));
    }),
  );
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.stdout.write(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;
