import type { JsonObject, Sample, SampleContext } from '../../types.ts';

const HOST = 'registry.example.com:5000';
const REPOSITORY = 'acme/web';

/** Envelopes of one event, as the reference registry (Docker distribution) sends them. */
export const samples: readonly Sample[] = [
  { type: 'push', build: (context) => envelope('push', context, target(context)) },
  { type: 'pull', build: (context) => envelope('pull', context, target(context)) },
  {
    type: 'delete',
    build: (context) => envelope('delete', context, { digest: digest(context), repository: REPOSITORY }),
  },
];

function envelope(action: string, { now, nextNumber }: SampleContext, about: JsonObject): JsonObject {
  return {
    events: [
      {
        id: `320678d8-ca14-430f-8bb6-${nextNumber().toString(16).padStart(12, '0')}`,
        timestamp: now.toISOString(),
        action,
        target: about,
        request: {
          id: `6df24a34-0959-4923-81ca-${nextNumber().toString(16).padStart(12, '0')}`,
          addr: '192.0.2.7:53028',
          host: HOST,
          method: action === 'push' ? 'PUT' : action === 'pull' ? 'GET' : 'DELETE',
          useragent: 'docker/27.3.1',
        },
        actor: { name: 'ci' },
        source: { addr: 'registry-0:5000', instanceID: 'a53db899-3b4b-4a62-a067-8dd013beaca4' },
      },
    ],
  };
}

function target(context: SampleContext): JsonObject {
  const sha = digest(context);
  return {
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    size: 708,
    length: 708,
    digest: sha,
    repository: REPOSITORY,
    url: `https://${HOST}/v2/${REPOSITORY}/manifests/${sha}`,
    tag: '1.4.2',
  };
}

function digest({ nextNumber }: SampleContext): string {
  return `sha256:${nextNumber().toString(16).padStart(64, '0')}`;
}
