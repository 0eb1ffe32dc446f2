import type { Store, StoreReader } from '../../store.ts';
import { notedEnd } from '../log/record.ts';
import type { LogPosition } from '../log/segments.ts';
import type { Sql } from '../sql.ts';
import { noteAnswers } from '../tables/deliveries.ts';
import { noteTaskCheck } from '../tables/task-checks.ts';
import { ackEvent, joinEvents } from './agent-events.ts';
import { recordAudit } from './audit.ts';
import { addConnection, changeConnection, forgetConnection, noteSweep } from './connections.ts';
import { holdDelivery, postpone, recordOutcome, reject, requeue } from './deliveries.ts';
import { joinFlows, unlinkFlow } from './flows.ts';
import { addComment, addPost, beginOutgoing, dropOutgoing, noteOutgoing, retryOutgoing } from './outbox.ts';
import { forgetDeliveries, probe, pruneTrees, removeBodies } from './retention.ts';
import {
  attach,
  detach,
  endRun,
  giveNotice,
  noteAgents,
  noteRun,
  noteWaiting,
  releaseBacklog,
  startRun,
} from './runs.ts';
import { applyChange, createTask, noteSchedule, noteSync, noteTask } from './tasks.ts';

/** Writes of the port that the writer thread runs as they are: all but those that append to the log. */
type PortWrites = Omit<Store, keyof StoreReader | 'accept' | 'indexed' | 'sweepLog' | 'problems' | 'shared'>;

/** Every operation, by its name: what the port's method of that name is given, and what it resolves with. */
export type OperationTypes = PortWrites & {
  /** Those of these segments whose records have rows, but no body that a delivery still needs; and where the index ends. */
  findUnused(segments: readonly number[]): Promise<Unused>;
};

interface Unused {
  readonly segments: readonly number[];
  readonly end: LogPosition;
}

export type OperationName = keyof OperationTypes;

type Operation<Method extends (...given: never) => Promise<unknown>> = (
  sql: Sql,
  ...given: Parameters<Method>
) => Awaited<ReturnType<Method>>;

/** The writer does each whole, or undoes it when it throws. */
export const operations: { readonly [Name in OperationName]: Operation<OperationTypes[Name]> } = {
  reject,
  recordOutcome,
  postpone,
  requeue,
  createTask,
  changeTask: applyChange,
  noteTask,
  noteSchedule,
  noteSync,
  pruneTrees,
  addComment,
  addPost,
  beginOutgoing,
  noteOutgoing,
  retryOutgoing,
  dropOutgoing,
  holdDelivery,
  joinFlows,
  unlinkFlow,
  removeBodies,
  forgetDeliveries,
  recordAudit,
  joinEvents,
  ackEvent,
  addConnection,
  changeConnection,
  forgetConnection,
  noteAgents,
  releaseBacklog,
  noteWaiting,
  attach,
  detach,
  startRun,
  noteRun,
  endRun,
  giveNotice,
  noteSweep,
  noteAnswers,
  noteTaskCheck,
  probe,
  findUnused,
};

function findUnused(sql: Sql, segments: readonly number[]): Unused {
  const isUsed = (segment: number) =>
    sql.value('select 1 from deliveries where body_segment = ? limit 1', [segment]) !== null;
  return { segments: segments.filter((segment) => !isUsed(segment)), end: notedEnd(sql) };
}
