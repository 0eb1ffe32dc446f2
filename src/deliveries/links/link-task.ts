import { usageError } from '../../errors.ts';
import { findSubject } from '../../tasks/flows.ts';
import { taskNamed } from '../../tasks/lifecycle.ts';
import type { PipelineContext } from '../context.ts';
import { namedSubject } from './joins.ts';

/** The flow of a task, and the subject that belongs to it now. */
interface LinkedTask {
  readonly flowId: string;
  readonly externalId: string;
  /** False when it belonged to it before. */
  readonly joined: boolean;
}

/**
 * Joins the flow of a task with that of what an address names: the pull request that its agent opened. Throws `usage` and
 * `not_found`.
 */
export async function linkTask(
  context: Pick<PipelineContext, 'store' | 'ids' | 'clock' | 'repositories'>,
  taskId: string,
  to: string,
  { actor, where }: { readonly actor: string; readonly where: string },
): Promise<LinkedTask> {
  const { store, ids, clock } = context;
  const task = taskNamed(context, taskId, where);
  const { owner } = task;
  const names = namedSubject(context, owner, task, to);
  if (names === null) {
    throw usageError(
      `${to} is no address of an issue, pull request, ticket or thread`,
      'Give its address, such as https://github.com/acme/web/pull/57, or its external id: github:acme/web#57.',
    );
  }
  const own = store.flows({ id: task.flowId })[0];
  const link = await store.joinFlows(
    {
      flows: [
        {
          flowId: findSubject(store, owner, names).ownId,
          externalId: names.externalId,
          newConversationId: ids.next('conv'),
        },
        {
          flowId: task.flowId,
          externalId: own?.externalId ?? task.externalId,
          newConversationId: ids.next('conv'),
        },
      ],
      reason: `linked by ${taskId}`,
      actor,
      // An agent does not overrule a person who took the join back.
      isAsked: actor !== 'mcp',
      owner,
    },
    clock.now(),
  );
  return {
    flowId: findSubject(store, owner, names).flowId,
    externalId: names.externalId,
    joined: link !== null,
  };
}
