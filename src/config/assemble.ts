import { dirname, relative } from 'node:path';
import type { Diagnostic } from '../errors.ts';
import { type Source, toDiagnostic } from '../lib/diagnostics.ts';
import { suggestion } from '../lib/suggest.ts';
import { BUILT_IN_WEBHOOKS } from '../providers/facts.ts';
import type { BuiltInWebhook, Issue, Path, WebhookOrigin } from '../types.ts';
import type { StaticDefinition } from './modules/load.ts';
import type { ProjectConfig } from './project/schema.ts';
import { type Known, resolveWebhook, type WebhookWithoutSecrets } from './resolve.ts';
import { definitionSchema, type ValidDefinition, type WebhookAdjustment } from './schema.ts';
import type { SecretRequest } from './secrets.ts';
import { endpointOf, replaces } from './webhook-name.ts';

interface Parts extends Known {
  readonly project: ProjectConfig;
  /** webhooks.yml; messages name it even where the file does not exist. */
  readonly source: Source;
  readonly definitions: readonly StaticDefinition[];
}

/** A webhook that is right, and the secret it asks for. */
export interface AssembledWebhook {
  readonly webhook: WebhookWithoutSecrets;
  readonly secret: SecretRequest;
}

interface Assembled {
  readonly webhooks: readonly AssembledWebhook[];
  readonly problems: readonly Diagnostic[];
  readonly notices: readonly string[];
}

/** The built-in webhooks, adjusted by webhooks.yml or replaced by the project's own, and those. All problems at once. */
export async function assemble(parts: Parts): Promise<Assembled> {
  const { project, source, definitions, providers } = parts;
  const replaced = BUILT_IN_WEBHOOKS.flatMap((name) => {
    const by = replacement(name, definitions);
    return by === undefined ? [] : [{ name, file: by.source.file }];
  });
  const builtIn = providers
    .flatMap(({ webhook }) => webhook ?? [])
    .filter(({ name }) => replaced.every((other) => other.name !== name))
    .map((webhook) => builtInCandidate(webhook, project.webhooks[webhook.name], source));
  const candidates = [...builtIn, ...definitions.map(ownCandidate)];
  const resolved = await Promise.all(candidates.map((it) => resolveCandidate(it, parts)));
  return {
    webhooks: resolved.flatMap(({ webhook }) => webhook ?? []),
    problems: [
      ...unknownAdjustments(parts),
      ...clashes(definitions, dirname(source.file)),
      ...resolved.flatMap(({ problems }) => problems),
    ],
    notices: replaced.flatMap(({ name, file }) => [
      `${relative(dirname(source.file), file)} replaces the built-in webhook ${name}`,
      ...(name in project.webhooks
        ? [`webhooks.${name} in webhooks.yml has no effect, because that webhook is replaced`]
        : []),
    ]),
  };
}

/** A definition on its way to become a webhook. */
interface Candidate {
  readonly definition: ValidDefinition;
  readonly origin: WebhookOrigin;
  readonly source: Source;
  /** Path of the definition in the source. */
  readonly prefix: Path;
  readonly secretIsOptional: boolean;
  /** Its commands are hookctl's own. */
  readonly isTested: boolean;
  /** What is known to be wrong already. */
  readonly issues: readonly Issue[];
}

/** Names of the providers that a project's webhooks have: of the built-in ones that none replaces, and of its own. */
export function* providersOf(definitions: readonly StaticDefinition[]): Iterable<string> {
  for (const name of BUILT_IN_WEBHOOKS) if (replacement(name, definitions) === undefined) yield name;
  for (const { definition } of definitions) yield definition.provider;
}

function replacement(name: string, definitions: readonly StaticDefinition[]): StaticDefinition | undefined {
  return definitions.find(({ definition }) => replaces(definition, { name }));
}

function builtInCandidate(
  webhook: BuiltInWebhook,
  adjustment: WebhookAdjustment | undefined,
  source: Source,
): Candidate {
  const allow = { ...webhook.allow, ...adjustment?.allow };
  return {
    definition: definitionSchema.parse({ ...webhook, provider: webhook.name, ...adjustment, allow }),
    origin: { kind: 'built-in' },
    source,
    prefix: ['webhooks', webhook.name],
    secretIsOptional: adjustment?.secretEnv === undefined,
    isTested: adjustment?.commands === undefined,
    issues: [],
  };
}

function ownCandidate({ definition, source, calledAt, issues }: StaticDefinition): Candidate {
  const origin = { kind: 'static', file: calledAt.file, line: calledAt.line } as const;
  return { definition, origin, source, prefix: [], secretIsOptional: false, isTested: false, issues };
}

interface Resolved {
  readonly webhook: AssembledWebhook | null;
  readonly problems: readonly Diagnostic[];
}

async function resolveCandidate(candidate: Candidate, known: Known): Promise<Resolved> {
  const { definition, origin, source, prefix, secretIsOptional, isTested } = candidate;
  const resolution = await resolveWebhook(definition, origin, { ...known, isTested });
  const further = resolution.ok ? [] : resolution.issues.filter(isNoneOf(candidate.issues));
  const problems = [...candidate.issues, ...further].map((issue) => toDiagnostic(source, issue, prefix));
  if (!resolution.ok || problems.length > 0) return { webhook: null, problems };
  const secretEnv = definition.secretEnv ?? null;
  const make = resolution.webhook.provider.newSecret;
  const secret = { webhook: definition.name, secretEnv, optional: secretIsOptional, make };
  return { webhook: { webhook: resolution.webhook, secret }, problems };
}

/** A command whose wrong `name` was left out has no name now: that is not to be said a second time. */
function isNoneOf(issues: readonly Issue[]): (further: Issue) => boolean {
  return ({ path }) => !issues.some((issue) => path.every((part, index) => issue.path[index] === part));
}

function unknownAdjustments({ project, source }: Parts): readonly Diagnostic[] {
  return Object.keys(project.webhooks)
    .filter((name) => !BUILT_IN_WEBHOOKS.includes(name))
    .map((name) => {
      const message = `there is no built-in webhook ${name}`;
      return toDiagnostic(source, {
        path: ['webhooks', name],
        message,
        fix: suggestion(name, BUILT_IN_WEBHOOKS),
        atKey: true,
      });
    });
}

/** Two of the project's own webhooks under one name or on one endpoint: neither can be meant to win. */
function clashes(definitions: readonly StaticDefinition[], folder: string): readonly Diagnostic[] {
  return definitions.flatMap(({ definition, source }, position) => {
    const earlier = definitions.slice(0, position);
    const place = ({ calledAt }: StaticDefinition) => `${relative(folder, calledAt.file)}:${calledAt.line}`;
    const sameName = earlier.find((other) => other.definition.name === definition.name);
    const endpoint = endpointOf(definition);
    const sameEndpoint = earlier.find((other) => endpointOf(other.definition) === endpoint);
    const issues: readonly Issue[] = [
      ...(sameName === undefined ? [] : [clash('name', definition.name, place(sameName))]),
      ...(sameEndpoint === undefined || sameName !== undefined
        ? []
        : [clash('endpoint', endpoint, place(sameEndpoint))]),
    ];
    return issues.map((issue) => toDiagnostic(source, issue));
  });
}

function clash(field: 'name' | 'endpoint', text: string, place: string): Issue {
  return {
    path: [field],
    message: `${text} is already taken by ${place}`,
    fix: `Choose another ${field}.`,
  };
}
