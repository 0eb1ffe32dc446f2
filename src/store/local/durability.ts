import type { OperationName } from './operations/index.ts';

/**
 * When an operation is answered. `synced`: once it is on disk, with all that was written before it: a person asked for it, something
 * leaves the machine after it, or nothing else could bring it back. `written`: once it can be read; after a power loss it is
 * made again from the log, or by looking again.
 */
export const DURABILITY: { readonly [Name in OperationName]: 'synced' | 'written' } = {
  // Dispatching the delivery again makes the same tasks and posts, with the same ids; where a program ran, `probe` follows.
  recordOutcome: 'written',
  postpone: 'written',
  // Nothing was promised to the sender of a refused request.
  reject: 'written',
  requeue: 'synced',
  createTask: 'synced',
  // A due time that is looked at again makes the task of the same id.
  noteSchedule: 'written',
  changeTask: 'synced',
  noteTask: 'synced',
  // Files are compared with the store at each start.
  noteSync: 'written',
  pruneTrees: 'synced',
  addComment: 'synced',
  addPost: 'synced',
  // Before it leaves; its outcome is looked up by marker when that is lost.
  beginOutgoing: 'synced',
  noteOutgoing: 'written',
  retryOutgoing: 'synced',
  dropOutgoing: 'synced',
  // A delivery that no longer waits is dispatched, and waits again.
  holdDelivery: 'written',
  joinFlows: 'synced',
  unlinkFlow: 'synced',
  removeBodies: 'written',
  forgetDeliveries: 'written',
  recordAudit: 'synced',
  joinEvents: 'synced',
  // An event that comes a second time is handled by who acknowledges it.
  ackEvent: 'written',
  // Before and after each call to a sender: a hook that no record names would send to nowhere for ever.
  addConnection: 'synced',
  changeConnection: 'synced',
  forgetConnection: 'synced',
  noteAgents: 'synced',
  releaseBacklog: 'synced',
  // The scheduler finds out again why tasks wait.
  noteWaiting: 'written',
  attach: 'synced',
  detach: 'synced',
  startRun: 'synced',
  noteRun: 'written',
  endRun: 'synced',
  giveNotice: 'synced',
  // A sweep that is forgotten is made again.
  noteSweep: 'written',
  // A plot that lacks the last seconds before a power loss shows the same.
  noteAnswers: 'written',
  // Looked for at GitHub by the task's id before it is made again.
  noteTaskCheck: 'written',
  probe: 'synced',
  // What is removed after it must not be needed to make rows again.
  findUnused: 'synced',
};
