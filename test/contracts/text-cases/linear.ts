import { type TextCase, UNNAMED, WROTE } from './case.ts';

const COMMENT = 'Comment.create';

/** Machine accounts: @linear/sdk `EntityActorWebhookPayload` (OAuth client, integration), `botActor`. */
export const linear: readonly TextCase[] = [
  {
    name: 'an integration',
    sample: COMMENT,
    change: { actor: { type: 'integration', service: 'slack' } },
    refused: 'acts through app',
  },
  {
    name: 'an OAuth client',
    sample: COMMENT,
    change: { actor: { type: 'oauthClient' } },
    refused: 'acts through app',
  },
  {
    name: 'an app by botActor',
    sample: COMMENT,
    change: { data: { botActor: 'app' } },
    refused: 'acts through app',
  },
  {
    name: 'a comment that another edited',
    sample: 'Comment.update',
    change: { data: { userId: 'u-bob', user: { id: 'u-bob' } } },
    refused: WROTE,
  },
  {
    name: 'an issue that was made of a message',
    sample: 'Issue.create',
    change: { data: { integrationSourceType: 'slack' } },
    refused: UNNAMED,
  },
  {
    name: 'A3: a session whose comment another wrote',
    sample: 'AgentSessionEvent.created',
    change: { agentSession: { comment: { userId: 'u-bob' } } },
    refused: WROTE,
  },
];
