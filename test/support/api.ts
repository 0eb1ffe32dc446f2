import { join } from 'node:path';
import { createIds } from '../../src/lib/ids.ts';
import { createKeyLock } from '../../src/lib/key-lock.ts';
import type { ApiCall } from '../../src/mcp/backend.ts';
import { createTransport } from '../../src/outbox/transport.ts';
import { OPERATOR_CALLER } from '../../src/server/access/caller.ts';
import { openTokens } from '../../src/server/access/tokens.ts';
import { managementApi } from '../../src/server/api/app.ts';
import { callInProcess } from '../../src/server/client.ts';
import type { Actor } from '../../src/types.ts';
import type { TestEngine } from './engine.ts';

type ApiEngine = Pick<TestEngine, 'context' | 'queue' | 'outbox' | 'folder'>;

const noWorkspaces = () => Promise.reject(new Error('this test has no workspaces'));

const TESTER: Actor = { kind: 'cli', name: 'tester' };

/** The management API over an engine, without a server. What breaks in it is thrown by the test. */
export function apiOver(engine: ApiEngine, record?: Parameters<typeof managementApi>[0]['record']) {
  return managementApi({
    ...engine,
    workspaces: noWorkspaces,
    tokens: () => openTokens({ dataFolder: engine.folder, now: Date.now, ids: createIds(Date.now) }),
    connect: {
      ...engine.context,
      dataFolder: join(engine.folder, '.hookctl'),
      transport: createTransport(),
      publicUrlOf: () => null,
      saveSecret: async () => false,
      locked: createKeyLock(),
    },
    dataFolder: engine.folder,
    schedules: [],
    schedulesChanged: () => undefined,
    taskChanged: () => undefined,
    record: record ?? (async () => undefined),
    recover: async () => [],
    served: null,
    onError(error) {
      throw error;
    },
  });
}

export function callOver(engine: ApiEngine): ApiCall {
  return callInProcess(apiOver(engine), { actor: TESTER, caller: OPERATOR_CALLER });
}
