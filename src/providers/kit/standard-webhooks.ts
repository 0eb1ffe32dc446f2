import type { SignatureSettings } from '../definition.ts';

/**
 * Standard Webhooks 1.0.0 (standardwebhooks.com), symmetric signatures: `webhook-signature` is a list, separated by
 * spaces, of `v1,<base64 HMAC-SHA256 of "{id}.{timestamp}.{body}">`, under `whsec_…`. Any one that fits is enough;
 * versions that are not known are skipped.
 */
export const STANDARD_WEBHOOKS = {
  header: 'webhook-signature',
  prefix: 'v1,',
  separator: ' ',
  encoding: 'base64',
  signedContent: '{id}.{timestamp}.{body}',
  timestamp: 'header:webhook-timestamp',
  deliveryId: 'header:webhook-id',
  secretEncoding: 'whsec',
} as const satisfies SignatureSettings;
