import type { Account, OutgoingCall, Post, ReplyChannel } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { inert } from '../kit/inert.ts';
import { plainMarker } from '../kit/marker.ts';
import { idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';
import { answerJson, apiPath, findPost } from '../kit/reply.ts';
import { incidentOf } from './parse.ts';

/**
 * Notes on incidents, plain text, which cannot be edited. A general access token needs the e-mail address of the user
 * who writes. Source: developer.pagerduty.com, REST API, "Create a note on an incident".
 */
export const reply: ReplyChannel = {
  account: PROVIDERS.pagerduty.account,
  inert: inert.escaped,
  // Not documented; a person who was just woken up reads no longer ones.
  textLimit: 5_000,

  place({ payload }) {
    const data = objectAt(payload, 'event', 'data') ?? objectAt(payload, 'data') ?? payload;
    const incident = incidentOf(data);
    const id = idAt(incident ?? undefined, 'id');
    // The account's own host (acme.pagerduty.com, …eu.pagerduty.com) does not serve the API.
    return id === null ? null : { host: null, incident: id };
  },

  immediate: () => null,

  authorize: ({ token, user }) => ({
    accept: 'application/vnd.pagerduty+json;version=2',
    authorization: `Token token=${token.reveal()}`,
    ...(user !== null && { from: user }),
  }),

  comment: (account, place, post) =>
    notes('POST', account, place.incident, { note: { content: marked(post) } }),
  // By the mark alone: /users/me takes keys of users only, and a REST key of the account has no user.
  find: (account, place) => notes('GET', account, place.incident, null),

  readPage(_, answer, id) {
    const notes = objectsAt(answerJson(answer), 'notes');
    const found = findPost(notes, { id, author: null, textOf: (note) => textAt(note, 'content') });
    return { id: found, next: null };
  },

  postedId: (answer) => idAt(answerJson(answer), 'note', 'id'),
};

function notes(
  method: OutgoingCall['method'],
  { baseUrl }: Account,
  incident: string | null | undefined,
  body: object | null,
): OutgoingCall {
  return { method, url: baseUrl + apiPath('incidents', incident, 'notes'), body };
}

function marked({ id, text }: Post): string {
  return `${text}\n\n(${plainMarker(id)})`;
}
