import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { Workspace } from '../../agents/workspace/record.ts';
import type { Workspaces } from '../../agents/workspace/workspaces.ts';
import type { Configuration } from '../../config/index.ts';
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
  readonly report: (text: string) => void;
}

/** Opens the workspaces of a data folder at the first call, for the process that holds the folder. */
export function workspacesOf(parts: WorkspaceParts): () => Promise<Workspaces> {
  const { services, configuration, store, secretNames, report } = parts;
  const { project, agents } = configuration;
  let opened: Promise<Workspaces> | null = null;
  async function open(): Promise<Workspaces> {
    const { openWorkspaces } = await import('../../agents/workspace/workspaces.ts');
    return openWorkspaces({
      root: workspacesFolder(services, project.workspaces.folder),
      logFolder: join(services.located.dataFolder, 'runs'),
      limits: project.workspaces,
      agents: agents.byName,
      env: services.env,
      secretNames,
      now: services.clock.now,
      isNeeded: ({ flowId, conversationId }) =>
        store.tasks({ flowId, open: true, limit: 1 }).length > 0 ||
        store.openRuns().some((run) => run.state === 'running' && run.conversationId === conversationId),
      report,
      sandboxOf: async () => null,
    });
  }
  return () => {
    opened ??= open();
    return opened;
  };
}
