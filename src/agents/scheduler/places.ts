import { realpath } from 'node:fs/promises';
import type { Agent } from '../../config/project/agents.ts';
import type { Repositories, Route } from '../../config/project/repositories.ts';
import { failure } from '../../errors.ts';
import { isWithin } from '../../lib/files/within.ts';
import type { TaskReader } from '../../store/tasks.ts';
import { repositoriesNamedBy } from '../../tasks/flows.ts';
import { limitsOf, type OwnerLimits, placeOf, refused } from '../../tasks/owner-limits.ts';
import type { Task } from '../../types.ts';
import { agentFolder } from '../environment.ts';
import { type Place, workspaceOf } from '../workspace/settings.ts';

interface RouteContext {
  readonly store: Pick<TaskReader, 'task'>;
  readonly repositories: Repositories;
}

/** Where a task runs. */
export function routeOf({ store, repositories }: RouteContext, task: Task): Route {
  return repositories.routeOf(task.externalId, repositoriesNamedBy(store, task));
}

/** Why a task of an owner does not run where it is routed. `folder`: of its agent, where the task is about no repository. Null when it may. */
export function refusedRoute(
  owners: OwnerLimits,
  { owner: name }: Pick<Task, 'owner'>,
  {
    route,
    folder,
    repositories,
  }: { route: Route; folder: string; repositories: Pick<Repositories, 'checkoutAround'> },
): string | null {
  const { repositories: allowed } = limitsOf(owners, name);
  if (allowed === undefined || route.kind === 'missing') return null;
  const around = route.kind === 'agent' ? repositories.checkoutAround(folder) : null;
  const places = route.kind === 'checkouts' ? route.checkouts : [around ?? { names: [folder], folder }];
  const lacking = places.find(({ names }) => !names.some((each) => allowed.includes(each)));
  if (lacking === undefined) return null;
  return around === null && route.kind === 'agent'
    ? `it is about no repository, and ${name} may use those of ${placeOf(name, 'repositories')} alone: give it one with --external-id, or remove that list in webhooks.yml and restart hookctl serve`
    : refused(name, 'repositories', lacking.names[0] ?? folder);
}

interface PlacesContext extends RouteContext {
  readonly projectFolder: string;
}

/**
 * The folders in which a run of a task works, its own one first. `before`: where the session of its conversation worked. Throws
 * `no_checkout`, and `folder_changed` where a folder is no longer the one that was configured.
 */
export async function placesOf(
  context: PlacesContext,
  { name, options, folder }: Agent,
  task: Task,
  before: string | null,
): Promise<readonly [Place, ...Place[]]> {
  const route = routeOf(context, task);
  if (route.kind === 'missing') throw failure('no_checkout', route.reason);
  if (route.kind === 'agent') {
    const now = await agentFolder(context.projectFolder, options.cwd);
    if (!now.ok || now.path !== folder) throw changed(folder, `agent ${name}`, 'its cwd');
    return [{ folder, repository: null }];
  }
  const [first, ...others] = route.checkouts;
  const around = before === null ? null : context.repositories.checkoutAround(before);
  const isElsewhere = around !== null && workspaceOf(options).use === 'shared';
  for (const checkout of route.checkouts) {
    if ((await realpath(checkout.folder).catch(() => null)) !== checkout.folder)
      throw changed(checkout.folder, checkout.names[0] ?? '', 'repositories');
  }
  const placeIn = (checkout: typeof first): Place => ({
    // The agent's own folder may be a part of the checkout.
    folder: isWithin(checkout.folder, folder) ? folder : checkout.folder,
    repository: checkout.names[0] ?? null,
  });
  const known = [...others, ...(isElsewhere ? [around] : [])].filter(
    (each, index, all) =>
      each.folder !== first.folder && all.findIndex((other) => other.folder === each.folder) === index,
  );
  return [placeIn(first), ...known.map(placeIn)];
}

function changed(folder: string, whose: string, field: string): Error {
  return failure('folder_changed', `${folder} is no longer the folder of ${whose}`, {
    fix: `Look at ${field} in webhooks.yml, then restart \`hookctl serve\`.`,
  });
}
