import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { Workspace } from '../../agents/workspace/record.ts';
import type { Workspaces } from '../../agents/workspace/workspaces.ts';
import type { Configuration } from '../../config/index.ts';
import type { Agent } from '../../config/project/agents.ts';
import type { Services } from '../../services.ts';
import type { StoreReader } from '../../store/store.ts';
import { iso } from '../../views.ts';

export type WorkspaceView = ReturnType<typeof workspaceView>;

/** A workspace as JSON. */
export function workspaceView(workspace: Workspace) {
  const { conversationId, flowId, createdAt, usedAt, ...same } = workspace;
  return {
    ...same,
    conversation_id: conversationId,
    flow_id: flowId,
    created_at: iso(createdAt),
    used_at: iso(usedAt),
  };
}

/** What `workspace prune` did. */
export interface PrunedWorkspaces {
  readonly removed: readonly WorkspaceView[];
  readonly kept: readonly WorkspaceView[];
}

type Place = Pick<Services, 'located' | 'home' | 'cwd'>;

/** Where the workspaces of this data folder are: outside of project and data folder, which agents may be kept out of. */
export function workspacesFolder({ located, home, cwd }: Place, folder: string | undefined): string {
  const project = located.projectFile === null ? cwd : dirname(located.projectFile);
  const key = createHash('sha256').update(located.dataFolder).digest('hex').slice(0, 6);
  return join(folder ?? join(home, '.hookctl-workspaces'), `${basename(project)}-${key}`);
}

interface WorkspaceParts {
  readonly services: Pick<Services, 'located' | 'home' | 'cwd' | 'env' | 'clock'>;
  readonly configuration: Configuration;
  readonly store: Pick<StoreReader, 'tasks' | 'openRuns'>;
  readonly secretNames: () => ReadonlySet<string>;
  /** Port of the management API, which runs in sandboxes reach through a socket; null where none listens. */
  readonly managementPort: () => number | null;
  readonly report: (text: string) => void;
}

/** Opens the workspaces of a data folder at the first call, for the process that holds the folder. */
export function workspacesOf(parts: WorkspaceParts): () => Promise<Workspaces> {
  const { services, configuration, store, secretNames, managementPort, report } = parts;
  const { project, agents } = configuration;
  let opened: Promise<Workspaces> | null = null;
  async function open(): Promise<Workspaces> {
    const { openWorkspaces } = await import('../../agents/workspace/workspaces.ts');
    const { env, clock, located, cwd } = services;
    const root = workspacesFolder(services, project.workspaces.folder);
    return openWorkspaces({
      root,
      logFolder: join(located.dataFolder, 'runs'),
      limits: project.workspaces,
      agents: agents.byName,
      env,
      secretNames,
      now: clock.now,
      isNeeded: ({ flowId, conversationId }) =>
        store.tasks({ flowId, open: true, limit: 1 }).length > 0 ||
        store.openRuns().some((run) => run.state === 'running' && run.conversationId === conversationId),
      report,
      sandboxLacks: lacksOf(env),
      async sandboxOf({ name: agent, options: { sandbox } }, workspaces, { name, scratch, log }) {
        if (sandbox === undefined) return null;
        const { openSandbox } = await import('../../agents/sandbox/sandbox.ts');
        return openSandbox({
          ...{ name, settings: sandbox, workspaces, scratch, env, home: join(root, 'homes', agent) },
          managementPort: managementPort(),
          projectFolder: located.projectFile === null ? cwd : dirname(located.projectFile),
          note: (text) => log({ kind: 'note', text }),
        });
      },
    });
  }
  return () => {
    opened ??= open();
    return opened;
  };
}

/** How long the last answer about the machine counts: many tasks may wait for the same program. */
const FOUND_MS = 60_000;
const LACKS_MS = 2_500;

/** What the machine lacks for an agent's sandbox, asked anew after a while. */
function lacksOf(env: WorkspaceParts['services']['env']) {
  const known = new Map<string, { readonly until: number; readonly lacks: string | null }>();
  return async ({ name, options: { sandbox } }: Pick<Agent, 'name' | 'options'>): Promise<string | null> => {
    if (sandbox === undefined) return null;
    const before = known.get(name);
    if (before !== undefined && before.until > performance.now()) return before.lacks;
    const { sandboxLacks } = await import('../../agents/sandbox/sandbox.ts');
    const lacks = (await sandboxLacks(sandbox, env))?.message ?? null;
    known.set(name, { lacks, until: performance.now() + (lacks === null ? FOUND_MS : LACKS_MS) });
    return lacks;
  };
}
