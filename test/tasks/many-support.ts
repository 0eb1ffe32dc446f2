import { createTask } from '../../src/tasks/create.ts';
import type { TestEngine } from '../support/engine.ts';

/** Stores finished tasks as if they had ended long ago, without their files. */
export async function storeFinished({ context }: TestEngine, count: number): Promise<void> {
  const { store, ids } = context;
  const parent = await createTask(context, { prompt: 'The first' }, 'cli', 'here');
  const { flowId, externalId } = parent;
  await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const id = ids.next('task');
      const title = `Task ${at}`;
      await store.createTask({
        task: {
          ...{ id, title, status: 'queued', agent: 'brain', prompt: title, typed: '' },
          ...{ url: null, syncToClaudeTasks: true, sourceMetadata: {} },
        },
        ...{ source: 'cli', actor: 'cli', owner: 'operator', parent, dependsOn: [], flowId, externalId, at },
        ...{ newConversationId: ids.next('conv'), startNewConversation: false },
      });
      await store.changeTask({
        ...{ taskId: id, event: 'complete', from: 'queued', to: 'completed', isEnd: true, actor: 'cli', at },
        ...{ reason: null, result: 'Done', error: null, reply: null },
        spent: { costUsd: null, inputTokens: null, outputTokens: null },
      });
    }),
  );
}
