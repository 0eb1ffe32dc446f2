import { isWithin } from '../../lib/files/within.ts';
import type { AgentRun, Task } from '../../types.ts';
import type { LogLine, Sandbox } from '../runner.ts';
import type { Tenant } from './programs.ts';
import type { Workspace } from './record.ts';
import type { Place } from './settings.ts';

/** Where a run works. */
export interface Room {
  readonly folder: string;
  /** The branch of the workspace that was made for it; null where it has none of its own. */
  readonly branch: string | null;
  /** The branch of the pull request to push to, where `branch` is another one. */
  readonly pushTo: string | null;
  /** The checkouts that are for it, that of its task first; empty where it works in the folder of its agent. */
  readonly checkouts: readonly Place[];
  readonly sandbox: Sandbox | null;
  /** The run has ended: looks at what it left. Returns work that is nowhere else, in words. */
  leave(): Promise<readonly string[]>;
  /** Ends what is left in the sandbox; called in any case. */
  close(): Promise<void>;
}

/** The run for which a room is opened. */
export interface RoomOrder {
  readonly agent: Tenant;
  readonly run: AgentRun;
  readonly task: Task;
  /** Where it works, or what its checkouts are made of: that of its task first. */
  readonly places: readonly [Place, ...Place[]];
  /** Folder in which the session of its conversation worked; null when it has no session yet. */
  readonly before: string | null;
  /** A folder for files of the run alone. */
  readonly scratch: string;
  readonly log: (line: LogLine) => void;
  /** Aborted when the run is to end. */
  readonly signal: AbortSignal;
}

/** The folders themselves, of which the run has none of its own. */
export function sharedRoom({ places, before }: RoomOrder): Room {
  const inside = insideOf(places, before);
  const nothing = { branch: null, pushTo: null, sandbox: null };
  return { ...inside, ...nothing, leave: async () => [], close: async () => undefined };
}

/** A session goes on in the folder where it began; a new one begins in that of its task. */
export function insideOf(
  places: readonly (Place & { readonly workspace?: Workspace })[],
  before: string | null,
): Pick<Room, 'folder' | 'checkouts'> {
  const [first] = places;
  const former = places.find(
    ({ folder, workspace }) => before !== null && isWithin(workspace?.path ?? folder, before),
  );
  const isRouted = first?.repository !== null && places.length > 0;
  return {
    folder: (former ?? first)?.folder ?? '',
    checkouts: isRouted ? places.map(({ folder, repository }) => ({ folder, repository })) : [],
  };
}
