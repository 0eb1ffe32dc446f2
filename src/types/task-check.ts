/** The check run at GitHub that shows a task on the head commit it is about. `server/checks/` keeps it. */
export interface TaskCheck {
  /** Id of the task. */
  readonly id: string;
  /** Host of the App that shows it. */
  readonly host: string;
  readonly owner: string;
  readonly repo: string;
  readonly sha: string;
  /** GitHub's id of the check run. Null while it is being made: GitHub may have it or not. */
  readonly remoteId: string | null;
  /** What it shows, as it was last sent; empty while it is being made. */
  readonly shown: string;
  /** Why it can't be shown, in words; null when it can. */
  readonly problem: string | null;
  /** Epoch milliseconds. */
  readonly updatedAt: number;
}
