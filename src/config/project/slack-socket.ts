import { dirname, resolve } from 'node:path';
import type { Diagnostic } from '../../errors.ts';
import { type Source, toDiagnostic } from '../../lib/diagnostics.ts';
import { secret } from '../../lib/redact/redact.ts';
import type { Secret } from '../../types.ts';
import { type Accounts, readToken } from '../accounts.ts';
import type { ProjectConfig } from './schema.ts';

/** How requests of Slack come without a public URL: `slack: { socketMode: true }` of webhooks.yml. */
export interface SlackSocket {
  /** Name of the webhook that takes them. */
  readonly webhook: string;
  /** App-level token (`xapp-…`). Null when the variable is not set. */
  readonly token: Secret | null;
  /** Variable or file of the token. */
  readonly tokenSource: string;
  /** Address of Slack's API; no slash at the end. */
  readonly baseUrl: string;
  readonly privateNetwork: boolean;
}

interface SocketParts {
  readonly project: Pick<ProjectConfig, 'slack'>;
  readonly source: Source;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Slack's account tells where its API is. */
  readonly accounts: Accounts;
}

/** Finds the token of Socket Mode; null where it is not wanted. */
export async function resolveSlackSocket({
  project: { slack },
  source,
  env,
  accounts,
}: SocketParts): Promise<{ readonly socket: SlackSocket | null; readonly problems: readonly Diagnostic[] }> {
  if (!slack.socketMode) return { socket: null, problems: [] };
  const { webhook, tokenEnv, tokenFile } = slack;
  const account = accounts.byProvider.get('slack') ?? accounts.bare.get('slack');
  const { baseUrl = 'https://slack.com/api', privateNetwork = false } = account ?? {};
  const common = { webhook, baseUrl, privateNetwork };
  if (tokenFile === undefined) {
    const value = env[tokenEnv]?.trim() ?? '';
    const token = value === '' ? null : secret(value);
    return { socket: { ...common, token, tokenSource: tokenEnv }, problems: [] };
  }
  const read = await readToken(resolve(dirname(source.file), tokenFile));
  if ('issue' in read) {
    const issue = { ...read.issue, path: ['slack', ...read.issue.path] };
    return { socket: null, problems: [toDiagnostic(source, issue)] };
  }
  return { socket: { ...common, token: read.secret, tokenSource: tokenFile }, problems: [] };
}
