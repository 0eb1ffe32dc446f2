import { describe, expect, test } from 'vitest';
import { match } from '../../src/deliveries/match.ts';
import { registry } from '../../src/providers/registry/index.ts';
import type { JsonObject, WebhookEvent } from '../../src/types.ts';
import { json, request } from '../providers/support.ts';
import { webhookWith } from './support.ts';

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI = 'application/vnd.oci.image.manifest.v1+json';
const LAYER = 'application/octet-stream';

const push = (id: string, target: JsonObject, action = 'push') => ({
  id,
  action,
  target: { repository: 'acme/web', digest: `sha256:${id}`, ...target },
});

/** What one `docker push` of an image with one layer makes a registry send, in its order. */
const ONE_LAYER = [
  push('1', { mediaType: LAYER }),
  push('2', { mediaType: LAYER }),
  push('3', { mediaType: MANIFEST, tag: '1.2' }),
];
const TWO_PLATFORMS = [
  push('1', { mediaType: LAYER }),
  push('2', { mediaType: OCI }),
  push('3', { mediaType: OCI }),
  push('4', { mediaType: INDEX, tag: '1.2' }),
];
const BLOBS = 'https://r.example/v2/acme/web/blobs/sha256:1';

describe('F19: one push of an image', () => {
  const fired = async (trigger: string, events: readonly JsonObject[]) => {
    const parsed = registry.parse(request(json({ events })));
    if (!parsed.ok) throw new Error(parsed.reason);
    const webhook = await webhookWith({
      name: 'registry',
      provider: 'registry',
      commands: [
        { name: 'analyze', template: 'x' },
        { trigger, template: 'x' },
      ],
    });
    const fires = (event: WebhookEvent) => match(webhook, event).matches.some((each) => each.fired);
    return parsed.events.filter(fires).map(({ title }) => title);
  };
  const tag = ['push acme/web:1.2'];

  test.each([
    ['*', 'one layer', ONE_LAYER, tag],
    ['push', 'one layer', ONE_LAYER, tag],
    ['*', 'two platforms', TWO_PLATFORMS, tag],
    ['push', 'two platforms', TWO_PLATFORMS, tag],
    ['blob.*', 'one layer', ONE_LAYER, []],
    ['blob.push', 'one layer', ONE_LAYER, ['blob.push acme/web', 'blob.push acme/web']],
    ['manifest.push', 'two platforms', TWO_PLATFORMS, ['manifest.push acme/web', 'manifest.push acme/web']],
    ['*', 'a layer that is mounted', [push('1', { mediaType: LAYER }, 'mount')], []],
    ['*', 'a layer without its media type', [push('1', { url: BLOBS })], []],
    ['push', 'nothing but a digest', [push('1', {})], []],
    ['*', 'a pull by digest', [push('1', { mediaType: MANIFEST }, 'pull')], []],
    ['*', 'a deletion by digest', [push('1', {}, 'delete')], ['delete acme/web']],
    [
      '*',
      'two tags',
      [push('1', { mediaType: MANIFEST, tag: '1.2' }), push('2', { mediaType: MANIFEST, tag: 'latest' })],
      ['push acme/web:1.2', 'push acme/web:latest'],
    ],
  ])('F19: a trigger %s takes of %s one event for each tag', async (trigger, _, events, titles) =>
    expect(await fired(trigger, events)).toEqual(titles),
  );
});
