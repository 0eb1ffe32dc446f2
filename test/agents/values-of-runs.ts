import { type AgentRun, NO_USAGE, type Task } from '../../src/types.ts';

let runs = 0;

export const TASK: Task = {
  id: 'task-01jd9x3k2a7f3kq2',
  title: 'Fix the login',
  status: 'running',
  agent: 'brain',
  prompt: 'Fix it.',
  flowId: 'flow-0123456789abcdef',
  conversationId: 'conv-01jd9x3k2a7f3kq2',
  source: 'github',
  parentTaskId: null,
  dependsOn: [],
  initiatedTaskId: 'task-01jd9x3k2a7f3kq2',
  deliveryId: null,
  webhook: null,
  command: null,
  externalId: 'github:o/r#1',
  url: 'https://github.com/o/r/issues/1',
  result: null,
  error: null,
  sourceMetadata: {},
  syncToClaudeTasks: true,
  unsynced: null,
  trust: 'verified',
  isSample: false,
  usage: { costUsd: null, inputTokens: null, outputTokens: null, durationMs: null },
  createdAt: 0,
  updatedAt: 0,
  startedAt: 0,
  completedAt: null,
};

export function aRun(folder: string): AgentRun {
  runs += 1;
  return {
    id: `run-${process.pid}x${runs}`,
    taskId: TASK.id,
    flowId: TASK.flowId,
    conversationId: TASK.conversationId,
    agent: 'brain',
    runner: 'command',
    state: 'running',
    reason: null,
    pid: null,
    commandLine: [],
    folder,
    sessionId: null,
    openWith: null,
    exitCode: null,
    signal: null,
    cause: null,
    retryAt: null,
    usage: NO_USAGE,
    denials: [],
    logPath: null,
    createdAt: 0,
    startedAt: 0,
    endedAt: null,
  };
}
