import type { Engine } from '../../deliveries/engine.ts';
import { decidedEdit, decisionText, haveSameButtons } from '../../outbox/buttons.ts';
import type { Outbox } from '../../outbox/worker.ts';
import type { Services } from '../../services.ts';
import { approvalComment } from '../../tasks/comments.ts';
import type { TaskContext } from '../../tasks/sync.ts';
import { changeTask } from '../../tasks/transition.ts';
import { type Outgoing, PERMISSION_AGENT, type Task } from '../../types.ts';
import type { ServeListener } from '../events.ts';
import type { Checks } from './index.ts';

interface ButtonsOptions {
  readonly context: TaskContext;
  readonly outbox: Pick<Outbox, 'wake'>;
  readonly broken: (error: unknown) => void;
}

/** Lets the posts with buttons of a task follow it: what was decided, and by whom, takes the place of buttons that are over. */
interface Buttons {
  readonly listen: ServeListener;
  /** Resolves when what is under way is written. */
  close(): Promise<void>;
}

/** Tasks that are looked at after a start: they moved on while no server ran. */
const MOST = 500;

function serveButtons({ context, outbox, broken }: ButtonsOptions): Buttons {
  const { store, clock, ids } = context;
  const startedAt = clock.now();
  let work: Promise<unknown> = Promise.resolve();

  /** One task after the other, so that a post is edited once. */
  function look(taskId: string): void {
    work = work.then(() => follow(taskId)).catch(broken);
  }

  async function follow(taskId: string): Promise<void> {
    const task = store.task(taskId);
    const posts = task === null ? [] : store.postsWithButtons(taskId);
    if (task === null) return;
    if (posts.every(({ deliveryId }) => deliveryId === null)) await ask(task);
    if (posts.length === 0) return;
    const said = decisionText(store.transitions(taskId));
    for (const { original, newest } of groups(posts).filter((post) => isBehind(post, task))) {
      const given = { id: ids.next('out'), place: newest.place };
      await store.addPost(decidedEdit(original, said, task, given), original, clock.now());
    }
    outbox.wake();
  }

  /** A task that an agent made waits in the thread of its root. */
  async function ask(task: Task): Promise<void> {
    if (task.status !== 'waiting_approval' || task.parentTaskId === null) return;
    const root = store.task(task.initiatedTaskId);
    const comment = root === null ? null : approvalComment(ids, root, task);
    if (comment === null) return;
    await store.addComment(comment.item, comment.deliveryId, clock.now());
    outbox.wake();
  }

  /** Runs that asked have ended with the server of before; open sessions go on, but none asks for longer than an hour. */
  async function endQuestions(): Promise<void> {
    const asked = store.tasks({ open: true, agent: PERMISSION_AGENT, limit: MOST });
    const isOver = ({ createdAt, parentTaskId }: Task) =>
      createdAt < (parentTaskId === null ? startedAt - 3_600_000 : startedAt);
    for (const { id } of asked.filter(isOver)) {
      const error = 'hookctl was restarted, and what asked has ended.';
      await changeTask(context, id, 'cancel', { actor: 'hookctl', error }, 'the store');
      look(id);
    }
  }

  work = endQuestions().catch(broken);
  for (const id of store.staleButtons(MOST)) look(id);
  return {
    listen(event) {
      if (event.type === 'task') look(event.task.id);
      if (event.type === 'delivery') for (const { id } of event.result.tasks) look(id);
    },
    async close() {
      await work;
    },
  };
}

/** A post, and its newest edit, which is the post itself where it has none. */
interface PostWithEdits {
  readonly original: Outgoing;
  readonly newest: Outgoing;
}

/** Without what was given up: it was never there, or something newer took its place. */
function groups(posts: readonly Outgoing[]): readonly PostWithEdits[] {
  const byPost = Map.groupBy(
    posts.filter(({ status }) => status === 'sent' || status === 'waiting'),
    ({ id, edits }) => edits ?? id,
  );
  return [...byPost.values()].flatMap((alike) => {
    const original = alike.find(({ edits }) => edits === null);
    const newest = alike.at(-1);
    return original === undefined || newest === undefined ? [] : [{ original, newest }];
  });
}

function isBehind({ newest: { buttonsAt } }: PostWithEdits, { status }: Task): boolean {
  return buttonsAt != null && !haveSameButtons(buttonsAt, status);
}

/** Checks of tasks, once there is a GitHub App that can show them. */
function checksOf({ redactor }: Services, engine: Engine, emit: ServeListener): Checks {
  let opened: Promise<Checks> | null = null;
  const broken = (error: unknown) => emit({ type: 'broken', error });
  const open = async () => {
    const { serveChecks } = await import('./index.ts');
    const problem = (text: string) => emit({ type: 'problem', text });
    return serveChecks({ engine, redact: redactor.redact, problem, broken });
  };
  const look = () => {
    if (engine.context.apps.list().length > 0) opened ??= open();
    return opened;
  };
  void look()?.catch(broken);
  return {
    listen: (event) => void look()?.then(({ listen }) => listen(event), broken),
    close: async () => (await opened)?.close(),
  };
}

/** All that shows what can be decided about tasks: posts with buttons, and checks. */
export function serveDecisions(services: Services, engine: Engine, emit: ServeListener): readonly Buttons[] {
  const broken = (error: unknown) => emit({ type: 'broken', error });
  return [serveButtons({ ...engine, broken }), checksOf(services, engine, emit)];
}
