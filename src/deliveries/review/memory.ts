import { commandLabel } from '../../labels.ts';
import { cutAtSentence } from '../../lib/text/cut.ts';
import { idAt, objectAt, textAt } from '../../providers/kit/payload.ts';
import type { FlowMemory, JsonObject, Task, WebhookCommand } from '../../types.ts';
import type { EventContext, PipelineContext } from '../context.ts';
import { openForge } from '../repair/forge.ts';

type MemoryContext = Pick<PipelineContext, 'store' | 'accounts' | 'apps'>;

/** Results of earlier tasks that a prompt gets, and characters of each. */
const MOST_FINDINGS = 20;
const FINDING_LENGTH = 4_000;
/** Tasks of each flow that are looked at. */
const MOST_TASKS = 200;

/** Whether a command's template asks what was said before: only then is it looked up. */
export function asksForMemory({ template }: Pick<WebhookCommand, 'template'>): boolean {
  return template.source.includes('@flow');
}

/**
 * What earlier tasks of the same command found in the flow of an event, and at which commit, so that another review looks at what
 * changed since.
 */
export async function memoryOf(
  context: MemoryContext,
  eventContext: EventContext,
  command: WebhookCommand,
): Promise<FlowMemory> {
  const { store } = context;
  const { flowId } = eventContext.subject();
  const flows = [flowId, ...store.linksInto(flowId).map((link) => link.flowId)];
  const done = flows
    .flatMap((each) => store.tasks({ flowId: each, status: 'completed', limit: MOST_TASKS }))
    .filter((task) => task.command === commandLabel(command) && task.trust !== 'unverified')
    .toSorted((left, right) => (right.completedAt ?? 0) - (left.completedAt ?? 0));
  const shaOf = (task: Task) =>
    shaIn(textAt(task.sourceMetadata, 'head_sha')) ?? shaIn(store.taskCheck(task.id)?.sha ?? null);
  return {
    headSha: headShaIn(eventContext.event.payload) ?? (await askedHead(context, eventContext)),
    lastReviewedSha: done.map(shaOf).find((sha) => sha !== null) ?? null,
    findings: done
      .slice(0, MOST_FINDINGS)
      .filter(({ result }) => (result ?? '') !== '')
      .toReversed()
      .map((task) => ({
        sha: shaOf(task),
        at: new Date(task.completedAt ?? task.updatedAt).toISOString(),
        text: cutAtSentence(task.result ?? '', FINDING_LENGTH),
      })),
  };
}

/** Where payloads name the head of the pull request that they are about. */
const HEADS: readonly (readonly string[])[] = [
  ['pull_request', 'head', 'sha'],
  ['merge_request', 'last_commit', 'id'],
  ['object_attributes', 'last_commit', 'id'],
  ['pullrequest', 'source', 'commit', 'hash'],
  ['check_run', 'head_sha'],
  ['check_suite', 'head_sha'],
  ['workflow_run', 'head_sha'],
];

function headShaIn(payload: JsonObject): string | null {
  return HEADS.map((path) => shaIn(textAt(payload, ...path))).find((sha) => sha !== null) ?? null;
}

function shaIn(text: string | null): string | null {
  return /^[0-9a-f]{7,64}$/.test(text ?? '') ? text : null;
}

/** A comment at GitHub names the pull request and not its head. Null where it can't be asked now: the review then looks at all. */
async function askedHead(context: MemoryContext, { event, provider }: EventContext): Promise<string | null> {
  const { payload } = event;
  if (provider.name !== 'github' || objectAt(payload, 'issue', 'pull_request') === null) return null;
  const [number, place] = [idAt(payload, 'issue', 'number'), provider.reply?.place(event) ?? null];
  if (number === null || place === null) return null;
  const forge = await openForge(context, provider, place);
  if (typeof forge === 'string') return null;
  try {
    const pull = await forge.pullRequest({ number, sha: '', repository: '', branch: null });
    return shaIn(pull?.headSha ?? null);
  } catch {
    return null;
  } finally {
    await forge.close();
  }
}
