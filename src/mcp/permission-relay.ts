import { z } from 'zod';
import type { ToolContext } from './tool.ts';
import { askPerson } from './tools/permission.ts';

/** Claude Code (2.1.332) cuts what it sends of the input, and leaves known secrets out of it. */
const asked = z.object({
  method: z.literal('notifications/claude/channel/permission_request'),
  params: z.object({
    request_id: z.string().regex(/^[a-z]{1,20}$/),
    tool_name: z.string().min(1).max(200),
    description: z.string().max(10_000).default(''),
    input_preview: z.string().max(10_000).default(''),
  }),
});

interface RelayOptions extends Pick<ToolContext, 'backend' | 'now'> {
  readonly patienceMs: number;
  readonly stopping: AbortSignal;
  readonly onError: (error: unknown) => void;
}

interface PermissionRelay {
  /** Takes any notification of the client. */
  take(notification: unknown): void;
  /** Ends what is still asked, which needs the backend. */
  close(): Promise<void>;
}

/**
 * What an open session asks in its terminal becomes a task that waits for approval, too, so that buttons and commands decide.
 * Claude Code takes the first answer, here or there, and tells no one of the other. Without an answer its terminal goes on asking.
 */
export function permissionRelay(
  { backend, now, stopping, onError, patienceMs }: RelayOptions,
  tell: (method: string, params: Record<string, unknown>) => Promise<void>,
): PermissionRelay {
  const over = new AbortController();
  const signal = AbortSignal.any([stopping, over.signal]);
  const open = new Set<Promise<void>>();
  const relay = async ({ request_id, tool_name, description, input_preview }: Asked) => {
    const question = {
      title: `May an open session use ${tool_name}?`,
      prompt: [tool_name, description, input_preview].filter((line) => line !== '').join('\n'),
      parentTaskId: null,
      patienceMs,
    };
    const outcome = await askPerson({ backend, now, signal }, question);
    if (outcome !== 'allowed' && outcome !== 'refused') return;
    const behavior = outcome === 'allowed' ? 'allow' : 'deny';
    await tell('notifications/claude/channel/permission', { request_id, behavior });
  };
  return {
    take(notification) {
      const { success, data } = asked.safeParse(notification);
      if (!success) return;
      const work: Promise<void> = relay(data.params)
        .catch(onError)
        .finally(() => open.delete(work));
      open.add(work);
    },
    async close() {
      over.abort();
      await Promise.all(open);
    },
  };
}

type Asked = z.output<typeof asked>['params'];
