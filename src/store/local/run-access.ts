import type { CompiledQuery } from 'kysely';
import type { RunReader, RunWriter } from '../runs.ts';
import { backlogs, noteAgents, releaseBacklog } from './tables/backlog.ts';
import { toTask } from './tables/mapping.ts';
import { endRun, forgetWait, giveNotice, noteRun, noteWait, startRun } from './tables/run-changes.ts';
import {
  lastSession,
  openRuns,
  queuedTasks,
  runById,
  runsOfTask,
  spentSince,
  toQueuedTask,
  toRun,
} from './tables/runs.ts';
import type { Writer } from './writer-client.ts';

/** Runs, as somebody reads them who runs queries like this. */
export function runReader(rows: <Row>(query: CompiledQuery<Row>) => readonly Row[]): RunReader {
  return {
    run: (id) => rows(runById(id)).map(toRun)[0] ?? null,
    runsOfTask: (taskId) => rows(runsOfTask(taskId)).map(toRun),
    openRuns: () => rows(openRuns()).map(toRun),
    queuedTasks: (agents, limit) => rows(queuedTasks(agents, limit)).map(toQueuedTask),
    backlogs: () => rows(backlogs()),
    lastSession: (conversationId, key) => rows(lastSession(conversationId, key))[0]?.session_id ?? null,
    spent: (since, flowId) => rows(spentSince(since, flowId))[0] ?? { runs: 0, endedUsd: 0, runningUsd: 0 },
  };
}

export function runWriter(writer: Writer): RunWriter {
  return {
    async noteAgents(names, at) {
      await writer.write(noteAgents(names, at));
    },
    releaseBacklog: async (agent) => (await writer.write([releaseBacklog(agent)])).length > 0,
    async noteWaiting(waits, gone) {
      await writer.write([...waits.map(noteWait), ...gone.map(forgetWait)]);
    },
    async startRun(start) {
      const [task] = await writer.write(startRun(start));
      return task === undefined ? null : toTask(task);
    },
    async noteRun(id, note) {
      await writer.write([noteRun(id, note)]);
    },
    async endRun(ending) {
      const [task] = await writer.write(endRun(ending));
      return task === undefined ? null : toTask(task);
    },
    async giveNotice(notice) {
      return (await writer.write(giveNotice(notice))).length > 0;
    },
  };
}
