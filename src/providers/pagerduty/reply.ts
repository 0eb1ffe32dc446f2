import type { ReplyChannel } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { commentsApi } from '../kit/comments.ts';
import { inert } from '../kit/inert.ts';
import { plainMarker } from '../kit/marker.ts';
import { idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';
import { answerJson, apiPath } from '../kit/reply.ts';
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
    const id = idAt(incident, 'id');
    // The account's own host (acme.pagerduty.com, …eu.pagerduty.com) does not serve the API.
    return id === null ? null : { host: null, incident: id };
  },

  immediate: () => null,

  authorize: ({ token, user }) => ({
    accept: 'application/vnd.pagerduty+json;version=2',
    authorization: `Token token=${token.reveal()}`,
    ...(user !== null && { from: user }),
  }),

  // Found by the mark alone: /users/me takes keys of users only, and a REST key of the account has no user.
  ...commentsApi({
    url: ({ baseUrl }, { incident }) => baseUrl + apiPath('incidents', incident, 'notes'),
    content: ({ id, text }) => ({ note: { content: `${text}\n\n(${plainMarker(id)})` } }),
    list: (answer) => objectsAt(answerJson(answer), 'notes'),
    textOf: (note) => textAt(note, 'content'),
  }),
  postedId: (answer) => idAt(answerJson(answer), 'note', 'id'),
};
