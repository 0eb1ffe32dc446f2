import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createProber,
  isProbe,
  makeProbe,
  newProbeKey,
  PROBE_HEADER,
  PROBE_PATH,
  type ProbedTunnel,
  type Prober,
} from '../../src/tunnels/prober.ts';
import { clockAt, closeServer, type Ingress, listen, startIngress } from './fixtures/scene.ts';

describe('the probe header', () => {
  const key = newProbeKey();
  const probe = makeProbe(key, 1_700_000_000_000);
  const asked = (value: string, path = PROBE_PATH) => isProbe(path, { [PROBE_HEADER]: value }, key);

  test('is recognised by its own key only', () => {
    expect(asked(probe)).toBe(true);
    expect(isProbe(PROBE_PATH, { [PROBE_HEADER]: probe }, newProbeKey())).toBe(false);
  });

  test('opens no other path, and no path without it', () => {
    expect(asked(probe, '/webhooks/github')).toBe(false);
    expect(asked(probe, `${PROBE_PATH}/`)).toBe(false);
    expect(isProbe(PROBE_PATH, {}, key)).toBe(false);
  });

  test('is refused when anything about it is changed', () => {
    const [nonce = '', mac = ''] = probe.split('.');
    const changed = [
      '',
      '.',
      nonce,
      `${nonce}.`,
      `.${mac}`,
      `${nonce}x.${mac}`,
      `${probe}.${mac}`,
      `${nonce}.${mac}0`,
    ];
    for (const value of [
      ...changed,
      `${nonce}.${mac.toUpperCase()}`,
      `${nonce}.é${mac.slice(1)}`,
      `${probe}, ${probe}`,
    ]) {
      expect(asked(value), value).toBe(false);
    }
  });

  test('differs each time', () => {
    expect(makeProbe(key, 1)).not.toBe(makeProbe(key, 1));
  });
});

describe('a probe through the tunnel', () => {
  const clock = clockAt(0.05);
  let ingress: Ingress;
  let prober: Prober;
  let other: Server;

  beforeEach(async () => {
    ingress = await startIngress();
    prober = createProber({ ingressPort: ingress.port, clock, env: {} });
    ingress.useProber(prober);
  });
  afterEach(async () => {
    await ingress.close();
    await closeServer(other ?? createServer());
  });

  const elsewhere = async (status: number, headers: Record<string, string> = {}) => {
    other = createServer((_request, response) => response.writeHead(status, headers).end());
    return `http://127.0.0.1:${await listen(other)}`;
  };
  const probe = (url: string, change: Partial<ProbedTunnel> = {}) =>
    prober.probe({ url, canRespond: true, leadsTo: null, ...change }, AbortSignal.timeout(5_000));
  const ownUrl = () => `http://127.0.0.1:${ingress.port}`;

  test('arrives, and is no request that anybody sees', async () => {
    expect(await probe(ownUrl())).toMatchObject({ ok: true });
    expect(ingress.seen).toEqual([]);
  });

  test.each([502, 530])('diagnoses a dead tunnel: the service answers %i', async (status) => {
    const result = await probe(await elsewhere(status));
    expect(result).toMatchObject({
      culprit: 'tunnel',
      detail: expect.stringContaining(`it answered ${status}`),
    });
  });

  test('diagnoses a dead tunnel: no answer, or ngrok says that it is offline', async () => {
    expect(await probe('http://127.0.0.1:1')).toMatchObject({ culprit: 'tunnel' });
    const offline = await elsewhere(404, { 'ngrok-error-code': 'ERR_NGROK_3200' });
    expect(await probe(offline)).toMatchObject({ culprit: 'tunnel' });
  });

  test('diagnoses a dead ingress, whatever the tunnel answers', async () => {
    const url = await elsewhere(502);
    await ingress.close();
    expect(await probe(url)).toMatchObject({
      culprit: 'ingress',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await probe(ownUrl())).toMatchObject({ culprit: 'ingress' });
  });

  test('diagnoses a wrong URL: something answers, but not this hookctl', async () => {
    const result = await probe(await elsewhere(404));
    expect(result).toMatchObject({ culprit: 'url', detail: expect.stringMatching(/^wrong URL: http/) });
    // Another hookctl with a key of its own.
    const stranger = await startIngress();
    stranger.useProber(createProber({ ingressPort: stranger.port, clock, env: {} }));
    expect(await probe(`http://127.0.0.1:${stranger.port}`)).toMatchObject({ culprit: 'url' });
    await stranger.close();
  });

  test('names no culprit when the probe itself is refused', async () => {
    expect(await probe(await elsewhere(429))).toMatchObject({ culprit: 'unknown' });
  });

  test('notices a relay that takes requests and does not deliver them', async () => {
    const url = await elsewhere(200);
    const relay = { canRespond: false, leadsTo: '/webhooks/github' };
    expect(await probe(url, relay)).toMatchObject({
      culprit: 'tunnel',
      detail: expect.stringContaining('relay'),
    });
  });
});
