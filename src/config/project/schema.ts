import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { agentRunners } from '../../agents/index.ts';
import type { CommonOptions } from '../../agents/runner.ts';
import { capOf } from '../../agents/settings.ts';
import { workspaceLimitsSchema } from '../../agents/workspace/settings.ts';
import type { Diagnostic } from '../../errors.ts';
import { issuesOf, type Source, toDiagnostic, withoutFaulty } from '../../lib/diagnostics.ts';
import { isRange } from '../../lib/http/ranges.ts';
import { byteSize, duration, variableName } from '../../lib/units.ts';
import { notifySchema } from '../../notifications/settings.ts';
import { tunnelSchema } from '../../tunnels/settings.ts';
import type { JsonObject } from '../../types.ts';
import { DEFAULT_STATIC } from '../modules/files.ts';
import { adjustmentSchema } from '../schema.ts';
import { readYaml } from '../yaml.ts';
import { claudeListName, ownersSchema } from './owners.ts';
import { schedulesSchema } from './schedules.ts';

const names = agentRunners.map(({ name }) => name).join(' or ');
const [first, ...others] = agentRunners.map(({ options }) => options);

const agent = z
  .discriminatedUnion('use', [first as z.ZodObject, ...others], {
    error: `expected { use: …, … } with use: ${names}`,
  })
  .transform((value) => value as unknown as CommonOptions);

/** `agents:` of webhooks.yml: who works on a task, by the task's agent. Without an entry its tasks wait for somebody. */
const agentsSchema = z.record(
  z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'expected the name of an agent, such as planning'),
  agent,
);

const budget = (runs: number, usd: number, span: string) =>
  z
    .strictObject({
      runs: z.int().min(0).default(runs).describe(`Most runs ${span}; default ${runs}.`),
      usd: z.number().min(0).default(usd).describe(`Most dollars ${span}; default ${usd}.`),
    })
    .prefault({});

/** `runs:` of webhooks.yml: what all agents together may do. */
const runsSchema = z.strictObject({
  concurrency: z.int().min(1).max(256).default(4).describe('Runs of all agents at once; default 4.'),
  openChildren: z
    .int()
    .min(0)
    .max(1000)
    .default(20)
    .describe('Most open tasks that agents may have made below one task; default 20.'),
  perThread: budget(20, 20, 'about one issue or thread within 24 hours').describe(
    'Budget of one issue or thread; beyond it runs are held.',
  ),
  perDay: budget(200, 50, 'within 24 hours').describe('Budget of 24 hours; beyond it runs are held.'),
  perWeek: capOf('7 days'),
  rateLimit: z
    .strictObject({
      tries: z.int().min(0).max(50).default(8).describe('How often a run is tried again; default 8.'),
      wait: duration
        .prefault('1m')
        .describe('Before the first of these, such as 1m; twice as long each time, at most 30m.'),
    })
    .prefault({})
    .describe('What becomes of a run that a rate limit of the model’s API ended.'),
  takeOverAfter: duration
    .prefault('10m')
    .describe(
      'Where several machines share a database: how long a conversation waits for the machine that has its session, before another one begins a new session; default 10m.',
    ),
});

const usdPerMillion = z.number().min(0);

/** `prices:` of webhooks.yml: what models cost whose agents do not say it themselves. */
const pricesSchema = z.record(
  z.string().min(1),
  z.strictObject({
    input: usdPerMillion.describe('Dollars for a million tokens that are read.'),
    cachedInput: usdPerMillion
      .describe('The same for tokens out of the cache; default: as input.')
      .optional(),
    cacheWrite: usdPerMillion.describe('The same for tokens into the cache; default: as input.').optional(),
    output: usdPerMillion.describe('Dollars for a million tokens that are written.'),
  }),
);

/** Dollars for a million tokens, by model. */
export type Prices = z.output<typeof pricesSchema>;

/** What all runs together may take. */
export type RunLimits = z.output<typeof runsSchema>;

const port = z.int().min(0).max(65_535);
const httpUrl = z.url({ protocol: /^https?$/, error: 'expected a URL that starts with https:// or http://' });

const rateLimit = z.strictObject({
  perSecond: z.number().positive().default(10_000).describe('Verified deliveries a second, each webhook.'),
  burst: z.int().positive().default(20_000).describe('How many may come at once.'),
});

const trustedProxy = z.strictObject({
  name: z.string().min(1).describe('Which proxy or tunnel it is: caddy, cloudflared.'),
  addresses: z
    .array(z.string().refine(isRange, 'expected an address or a range: 10.0.0.5, 10.0.0.0/8'))
    .min(1)
    .describe('Addresses from which it connects.'),
  header: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header')
    .transform((name) => name.toLowerCase())
    .prefault('x-forwarded-for')
    .describe('Header in which it writes the address of the sender; default x-forwarded-for.'),
});

/** The proxy whose word on the address of a sender counts. */
export type TrustedProxy = z.output<typeof trustedProxy>;

const ingress = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address that deliveries arrive on.'),
  port: port.default(8000).describe('Port that deliveries arrive on.'),
  trustedProxy: trustedProxy
    .describe(
      'The proxy before hookctl that says from which address a sender came, for conditions on request:client.',
    )
    .optional(),
  rateLimit: rateLimit
    .prefault({})
    .describe('How many deliveries each webhook takes; what is beyond is answered 429 with Retry-After.'),
});

const management = z.strictObject({
  port: port.default(8001).describe('Port of the management API, on loopback only.'),
  socket: z
    .string()
    .min(1)
    .describe(
      'Also a unix socket for it, from the data folder: management.sock. A CLI that shares the folder, as with a container, uses it.',
    )
    .optional(),
});

const staticPatterns = z
  .union([z.string(), z.array(z.string())], { error: 'expected a file pattern, or a list of them' })
  .transform((patterns) => [patterns].flat());

const credential = z.strictObject({
  tokenEnv: variableName.describe('Environment variable with the token.').optional(),
  tokenFile: z.string().min(1).describe('File (mode 0600) with the token.').optional(),
  urlEnv: variableName
    .describe('Environment variable with the secret URL to post to, where that is all (Microsoft Teams).')
    .optional(),
  urlFile: z.string().min(1).describe('File (mode 0600) with that URL.').optional(),
  baseUrl: httpUrl.describe('Address of the API, where it is not the provider’s cloud.').optional(),
  user: z
    .string()
    .min(1)
    .describe('Whose token it is, where the provider asks (Jira Cloud: e-mail).')
    .optional(),
  privateNetwork: z.boolean().describe('true: the name in baseUrl leads into a private network.').optional(),
});

const slack = z.strictObject({
  socketMode: z
    .boolean()
    .default(false)
    .describe('true: Slack’s events come through a connection that hookctl opens; no public URL is needed.'),
  webhook: z.string().min(1).default('slack').describe('The webhook that takes them; default: slack.'),
  tokenEnv: variableName
    .default('SLACK_APP_TOKEN')
    .describe('Variable with the app-level token (xapp-…); default: SLACK_APP_TOKEN.'),
  tokenFile: z.string().min(1).describe('File (mode 0600) with that token.').optional(),
});

const connect = z.strictObject({
  pauseWhenStopped: z
    .boolean()
    .default(false)
    .describe(
      'true: hooks of `hookctl connect` send nothing while hookctl is stopped. It costs: what happens meanwhile is not in the sender’s log, so that it can’t be recovered. Default false.',
    ),
});

const claudeTasks = z.strictObject({
  enabled: z.boolean().default(true).describe('Show tasks in Claude Code’s task directory.'),
  list: claudeListName.optional().describe('Name of the task list; default: that of the project’s folder.'),
  record: z.boolean().default(true).describe('Also write one record file per task.'),
});

const retention = z.strictObject({
  age: duration
    .prefault('30d')
    .describe('How long the bytes of a delivery that was worked off are kept, such as 30d.'),
  size: byteSize
    .prefault('2GB')
    .describe('How many bytes are kept altogether, such as 2GB; beyond that the oldest go first.'),
});

const store = z.strictObject({
  use: z
    .enum(['local', 'postgres'])
    .default('local')
    .describe('local: the data folder. postgres: a database that several servers share.'),
  urlEnv: variableName
    .default('DATABASE_URL')
    .describe('Environment variable with the URL of the database; default: DATABASE_URL.'),
});

const recover = z.strictObject({
  every: duration
    .prefault('15m')
    .describe('How often the logs of connected senders are read for what never arrived; default 15m.'),
});

const loopGuard = z.strictObject({
  runs: z
    .int()
    .min(1)
    .default(3)
    .describe(
      'Most deliveries of bots, apps and automatic changes that run commands in one thread; default 3.',
    ),
  within: duration.prefault('10m').describe('The time in which they count, such as 10m.'),
});

/** When bots that answer each other are stopped; `within` in milliseconds. */
export type LoopGuard = z.output<typeof loopGuard>;

/** `acme/web`, with a host before it where it is not the provider's cloud; `PROJ`, `jira:PROJ`, `linear:ENG`. */
const REPOSITORY = /^(?:(?:[a-z]+:)?[\w.:-]+(?:\/[\w.-]+)+|(?:(?:jira|linear):)?[A-Za-z][A-Za-z0-9_]+)$/;

/** webhooks.yml, whole. */
const projectSchema = z.strictObject({
  ingress: ingress.prefault({}).describe('The socket that senders (and a tunnel) reach.'),
  management: management.prefault({}).describe('The socket of the CLI and the API.'),
  publicUrl: httpUrl.describe('Public address, if you bring your own tunnel.').optional(),
  tunnel: tunnelSchema.describe('Tunnel to open: its name, or { use, … }.').optional(),
  static: staticPatterns
    .prefault(DEFAULT_STATIC)
    .describe('Modules that export defineWebhook({ … }) by default: a pattern, or a list of them.'),
  webhooks: z
    .record(z.string(), adjustmentSchema)
    .prefault({})
    .describe('Changes to the built-in webhooks, by name.'),
  credentials: z.record(z.string(), credential).prefault({}).describe('For replies, by provider.'),
  slack: slack.prefault({}).describe('Slack without a public URL.'),
  connect: connect.prefault({}).describe('Hooks that `hookctl connect` made.'),
  store: store.prefault({}).describe('Where deliveries and tasks are kept; HOOKCTL_STORE wins over it.'),
  retention: retention.prefault({}).describe('What is kept of deliveries that were worked off.'),
  recover: recover.prefault({}).describe('How what never arrived is found in the logs of connected senders.'),
  loopGuard: loopGuard
    .prefault({})
    .describe('When a thread is paused in which bots answer each other. What people write does not count.'),
  claudeTasks: claudeTasks.prefault({}).describe('How tasks appear in Claude Code.'),
  repositories: z
    .record(
      z.string().regex(REPOSITORY, 'expected owner/repo, a Jira project or a Linear team: acme/web, PROJ'),
      z.string().min(1),
    )
    .prefault({})
    .describe(
      'Where repositories, Jira projects and Linear teams are checked out: acme/web: ../web, PROJ: ../web.',
    ),
  agents: agentsSchema
    .prefault({})
    .describe('Whom hookctl runs on tasks, by the agent that a task is for: planning: { use: claude, … }.'),
  owners: ownersSchema
    .prefault({})
    .describe(
      'Limits of owners, by name: ada: { perDay: { usd: 10 }, agents: [planning], actions: [create_task] }.',
    ),
  notify: notifySchema.prefault([]).describe('Ways to a person: { use: ntfy, topic: … }, or a list of them.'),
  schedules: schedulesSchema
    .prefault({})
    .describe('Tasks that come due: nightly: { cron: "0 2 * * *", prompt: … }.'),
  prices: pricesSchema
    .prefault({})
    .describe(
      'Dollars for a million tokens, by model: gpt-5: { input: 1.25, cachedInput: 0.125, output: 10 }.',
    ),
  runs: runsSchema.prefault({}).describe('How much agents may run.'),
  workspaces: workspaceLimitsSchema
    .prefault({})
    .describe('What the checkouts of all conversations may take, see `workspace:` of an agent.'),
});

/** webhooks.yml as the rest of hookctl sees it: defaults filled in, times in milliseconds, sizes in bytes. */
export type ProjectConfig = z.output<typeof projectSchema>;

/** JSON Schema (draft-07, which editors understand) of webhooks.yml. */
export function projectJsonSchema(): JsonObject {
  const schema = z.toJSONSchema(projectSchema, {
    io: 'input',
    target: 'draft-7',
    // Zod's word for lists that the program may not change; an editor would take it for the user.
    override: ({ jsonSchema }) => {
      delete jsonSchema.readOnly;
    },
  });
  return { ...(schema as JsonObject), title: 'hookctl: webhooks.yml' };
}

/** The same as the text of a file. */
export function projectSchemaText(): string {
  return `${JSON.stringify(projectJsonSchema(), null, 2)}\n`;
}

/** webhooks.yml as read. With problems, `project` holds what is right, so that it can be checked further. */
export interface ReadProject {
  readonly project: ProjectConfig;
  readonly source: Source;
  readonly problems: readonly Diagnostic[];
}

/** The configuration of a folder without webhooks.yml. */
export function defaultProject(): ProjectConfig {
  return projectSchema.parse({});
}

/** Reads webhooks.yml. Mistakes are returned; a file that cannot be read at all is thrown. */
export async function readProject(file: string): Promise<ReadProject> {
  const { value, source, problems } = await readYaml(file, await readFile(file, 'utf8'));
  if (problems.length > 0) return { project: defaultProject(), source, problems };
  // An empty file, or one with comments only, is a project without settings.
  const written = value ?? {};
  const result = projectSchema.safeParse(written);
  if (result.success) return { project: result.data, source, problems };
  const issues = issuesOf(projectSchema, result.error, written);
  return {
    project: projectSchema.safeParse(withoutFaulty(written, issues)).data ?? defaultProject(),
    source,
    problems: issues.map((issue) => toDiagnostic(source, issue)),
  };
}
