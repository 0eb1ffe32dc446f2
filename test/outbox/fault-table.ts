import type { Fault } from '../support/provider-apis.ts';

/** What the first request meets, and how an item ends that can be sent again or looked for. */
export const FAULTS: readonly (readonly [name: string, fault: Fault, end: 'sent' | 'failed'])[] = [
  ['429 without a time', { status: 429 }, 'sent'],
  ['429 with seconds', { status: 429, headers: { 'retry-after': '1' } }, 'sent'],
  [
    '429 with a date',
    { status: 429, headers: { 'retry-after': new Date(Date.now() - 1000).toUTCString() } },
    'sent',
  ],
  ['500', { status: 500 }, 'sent'],
  ['500 that has done it', { status: 500, processed: true }, 'sent'],
  ['502', { status: 502, body: '<html>Bad Gateway</html>' }, 'sent'],
  ['503', { status: 503 }, 'sent'],
  ['504 that has done it', { status: 504, processed: true }, 'sent'],
  ['401', { status: 401, body: '{"message":"Bad credentials"}' }, 'failed'],
  ['403', { status: 403, body: '{"message":"Forbidden"}' }, 'failed'],
  ['404', { status: 404, body: '{}' }, 'failed'],
  ['422', { status: 422, body: '{"message":"Validation Failed"}' }, 'failed'],
  ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/elsewhere' } }, 'failed'],
  ['200 with broken JSON, done', { status: 200, body: '{"id":', processed: true }, 'sent'],
  ['no answer, done', { cut: 'silence', processed: true }, 'sent'],
  ['no answer, not done', { cut: 'silence' }, 'sent'],
  ['half an answer, done', { cut: 'half', processed: true }, 'sent'],
  ['processed, then reset', { cut: 'reset', processed: true }, 'sent'],
  ['reset before it was processed', { cut: 'reset' }, 'sent'],
];
