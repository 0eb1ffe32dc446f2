import type { Decision, NewOutgoing } from '../types.ts';
import type { Settlement, Store } from './store.ts';

/**
 * The same store; what is written down in words (reasons, results, comments) loses its secrets first. Bytes and
 * headers of deliveries are kept as they came, or nothing could verify them again; URLs that something is sent to
 * are needed whole.
 */
export function redactingStore(store: Store, redact: (text: string) => string): Store {
  const words = (text: string | null) => (text === null ? null : redact(text));
  const item = (outgoing: NewOutgoing): NewOutgoing =>
    outgoing.kind === 'forward' ? outgoing : { ...outgoing, content: redact(outgoing.content) };
  const decision = (made: Decision): Decision => ({
    ...made,
    reason: redact(made.reason),
    error: words(made.error),
  });
  const settlement = (settled: Settlement): Settlement => ({
    ...settled,
    reason: redact(settled.reason),
    decisions: settled.decisions.map(decision),
    outgoing: settled.outgoing.map(item),
  });
  return {
    ...store,
    accept: (delivery) =>
      store.accept({
        ...delivery,
        reason: words(delivery.reason),
        decisions: delivery.decisions.map(decision),
      }),
    reject: (rejection) => store.reject({ ...rejection, reason: redact(rejection.reason) }),
    settle: (settled) => store.settle(settlement(settled)),
    postpone: (id, reason, nextAttemptAt) => store.postpone(id, redact(reason), nextAttemptAt),
    changeTask: ({ reply, ...change }) =>
      store.changeTask({
        ...change,
        reason: words(change.reason),
        result: words(change.result),
        error: words(change.error),
        reply: reply === null ? null : { ...reply, item: item(reply.item) },
      }),
    noteTask: (note) => store.noteTask({ ...note, reason: words(note.reason) }),
    noteOutgoing: (id, note) => store.noteOutgoing(id, { ...note, reason: words(note.reason) }),
    noteSync: (notes) => store.noteSync(notes.map((note) => ({ ...note, unsynced: words(note.unsynced) }))),
    recordAudit: (entries) =>
      store.recordAudit(
        entries.map((entry) => ({ ...entry, details: JSON.parse(redact(JSON.stringify(entry.details))) })),
      ),
  };
}
