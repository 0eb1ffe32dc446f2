import type { JsonObject } from '../types.ts';
import type { Permissions } from './tokens.ts';

/** What a new App is to be. */
export interface AppWish {
  /** Unique on GitHub, at most 34 characters; the person can change it on GitHub's page. */
  readonly name: string;
  /** Where its deliveries go. */
  readonly hookUrl: string;
  /** GitHub's names of events that it hears of. */
  readonly events: readonly string[];
  /** Agents push with its tokens. */
  readonly pushes: boolean;
  /** Others may install it. */
  readonly isPublic: boolean;
}

/** The permission under which GitHub sends an event. Source: docs.github.com, "Webhook events and payloads". */
const EVENT_PERMISSION: Readonly<Record<string, string>> = {
  check_run: 'checks',
  check_suite: 'checks',
  commit_comment: 'contents',
  create: 'contents',
  delete: 'contents',
  deployment: 'deployments',
  deployment_status: 'deployments',
  discussion: 'discussions',
  discussion_comment: 'discussions',
  issue_comment: 'issues',
  issues: 'issues',
  merge_group: 'merge_queues',
  milestone: 'issues',
  pull_request: 'pull_requests',
  pull_request_review: 'pull_requests',
  pull_request_review_comment: 'pull_requests',
  pull_request_review_thread: 'pull_requests',
  push: 'contents',
  release: 'contents',
  repository_dispatch: 'contents',
  status: 'statuses',
  workflow_dispatch: 'contents',
  workflow_job: 'actions',
  workflow_run: 'actions',
};

/** Every App gets these without asking, and GitHub refuses a manifest that names them. */
const UNASKED = new Set(['installation', 'installation_repositories', 'github_app_authorization', 'ping']);

/** What hookctl itself does: comments, labels, checks with buttons. */
const OWN: Permissions = { metadata: 'read', issues: 'write', pull_requests: 'write', checks: 'write' };

/** The App's permissions: for what hookctl does, and for what it hears of. */
function permissionsFor({ events, pushes }: Pick<AppWish, 'events' | 'pushes'>): Permissions {
  const heard = events.flatMap((event) => EVENT_PERMISSION[event] ?? []);
  return {
    ...Object.fromEntries(heard.map((name) => [name, 'read'] as const)),
    ...OWN,
    ...(pushes && ({ contents: 'write' } as const)),
  };
}

/** The manifest that a person's browser posts to GitHub. Source: docs.github.com, "Registering a GitHub App from a manifest". */
export function manifestOf(wish: AppWish, redirectUrl: string): JsonObject {
  const events = wish.events.filter((event) => event in EVENT_PERMISSION && !UNASKED.has(event));
  return {
    name: wish.name.slice(0, 34),
    url: new URL(wish.hookUrl).origin,
    description: 'hookctl: turns events into tasks for coding agents.',
    hook_attributes: { url: wish.hookUrl, active: true },
    redirect_url: redirectUrl,
    public: wish.isPublic,
    default_permissions: permissionsFor(wish),
    // Buttons of checks come as `check_run`.
    default_events: [...new Set([...events, 'check_run'])].toSorted(),
  };
}

/** Where the manifest is posted: to a person's account, or to an organisation. */
export function registrationUrl(webUrl: string, organisation: string | null): string {
  return organisation === null
    ? `${webUrl}/settings/apps/new`
    : `${webUrl}/organizations/${encodeURIComponent(organisation)}/settings/apps/new`;
}
