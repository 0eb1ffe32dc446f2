import type { Ack } from '../../types.ts';
import { preset } from '../generic/preset.ts';
import { parse } from './parse.ts';
import { samples } from './samples.ts';

const TAKEN: Ack = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };

/**
 * Notifications of a container registry (Docker distribution), which signs nothing: the secret is a bearer token among
 * its static headers. What is not answered with 2xx or 3xx it sends again for ever, and everything behind it waits: so
 * whoever has the token gets a 200 for any content; what cannot be read is kept as `unparsed`. Source:
 * distribution.github.io, "Work with notifications".
 */
export const registry = preset({
  name: 'registry',
  label: 'Container registry',
  settings: { scheme: 'token' },
  webhook: null,
  samples,
  contentType: 'application/vnd.docker.distribution.events.v2+json',
  headers: () => ({ 'user-agent': 'Go-http-client/1.1' }),
  parse,
  acknowledge: () => TAKEN,
  formFields: ({ url, secretCommand }) => [
    { label: 'notifications › endpoints › url', value: url },
    { label: 'headers › Authorization › [Bearer …]', value: secretCommand },
    { label: 'timeout', value: '5s' },
    { label: 'ignore › actions', value: '[pull]' },
  ],
});
