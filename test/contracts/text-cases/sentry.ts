import { APP, NO_TEXT, type TextCase } from './case.ts';

/** Machine accounts: getsentry/sentry, `get_actor()`: the application itself, and apps by their uuid. */
export const sentry: readonly TextCase[] = [
  {
    name: 'an app (a sentry_app)',
    sample: 'comment.created',
    change: { actor: { type: 'sentry_app', id: 'a1b2' } },
    refused: APP,
  },
  {
    name: 'a listed app',
    sample: 'comment.created',
    change: { actor: { type: 'sentry_app', id: 'a1b2' } },
    apps: ['a1b2'],
    refused: null,
  },
  {
    name: 'an application that is not Sentry',
    sample: 'comment.created',
    change: { actor: { type: 'application', id: 'other' } },
    refused: APP,
  },
  {
    name: 'a comment that is deleted',
    sample: 'comment.created',
    change: { action: 'deleted' },
    refused: NO_TEXT,
  },
];
