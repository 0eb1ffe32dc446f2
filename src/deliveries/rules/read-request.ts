import type { Parsed, RawRequest, Webhook } from '../../types.ts';

/** What a verified request says. A promise only where its body is not the JSON that its provider parses. */
export function readRequest(webhook: Webhook, request: RawRequest): Parsed | Promise<Parsed> {
  const { provider } = webhook;
  const view = provider.jsonView?.(request) ?? null;
  if (view === null) return provider.parse(request, webhook);
  return view.then((read) => ('ok' in read ? read : provider.parse(read, webhook)));
}
