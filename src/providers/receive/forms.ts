import type { HandshakeRule } from '../../types.ts';

/*
 * How senders ask before they send, by the name that the setting `handshake` takes. Each is what its documentation says;
 * `*` is any value, null means that it must be absent.
 */

/** Dropbox, Nylas, Adobe I/O: `?challenge=…` is repeated as text. */
const echoQuery: HandshakeRule = { when: { 'query:challenge': '*' }, challenge: 'query:challenge' };

/** Meta's Graph API: "Verification Requests". */
const meta: HandshakeRule = {
  when: { 'query:hub.mode': 'subscribe', 'query:hub.verify_token': '*' },
  challenge: 'query:hub.challenge',
};

/** The handshakes that hookctl knows by name. */
export const HANDSHAKES: Readonly<Record<string, HandshakeRule>> = {
  meta,
  /** Strava wants the same in JSON. */
  strava: { ...meta, answer: { 'hub.challenge': '{challenge}' } },
  /** W3C WebSub, 5.3. */
  websub: { when: { 'query:hub.mode': '*', 'query:hub.topic': '*' }, challenge: 'query:hub.challenge' },
  dropbox: echoQuery,
  nylas: echoQuery,
  /** Okta event hooks: "One-time verification request". */
  okta: {
    challenge: 'header:x-okta-verification-challenge',
    answer: { verification: '{challenge}' },
  },
  /** Trello: HEAD is answered 200, or the webhook is not made. */
  trello: { method: 'HEAD' },
  /** Senders that only look whether the address answers: Mailchimp. */
  get: {},
  /** Asana: "The webhook handshake". The header is the secret of the webhook. */
  asana: {
    method: 'POST',
    challenge: 'header:x-hook-secret',
    headers: { 'x-hook-secret': '{challenge}' },
    answer: '',
    isSecret: true,
  },
  /** Notion: the token of the first request is the secret, and is pasted into its form. */
  notion: {
    method: 'POST',
    when: { type: null },
    challenge: 'verification_token',
    answer: '',
    isSecret: true,
  },
  /** Slack's `url_verification`, which others copied. */
  slack: {
    method: 'POST',
    when: { type: 'url_verification' },
    challenge: 'challenge',
    answer: { challenge: '{challenge}' },
  },
  /** monday.com: a body that holds the challenge and nothing else. */
  monday: {
    method: 'POST',
    when: { event: null, type: null },
    challenge: 'challenge',
    answer: { challenge: '{challenge}' },
  },
  /** Zoom: "Validate your webhook endpoint", again every 72 hours, signed. */
  zoom: {
    method: 'POST',
    when: { event: 'endpoint.url_validation' },
    challenge: 'payload.plainToken',
    answer: { plainToken: '{challenge}', encryptedToken: '{hmac}' },
  },
  /** Twitch EventSub: "Responding to a challenge request", signed. */
  twitch: {
    method: 'POST',
    when: { 'header:twitch-eventsub-message-type': 'webhook_callback_verification' },
    challenge: 'challenge',
  },
  /** HTTP 1.1 Web Hooks for Event Delivery (CloudEvents), 4: abuse protection. */
  cloudevents: {
    method: 'OPTIONS',
    challenge: 'header:webhook-request-origin',
    headers: { allow: 'POST', 'webhook-allowed-origin': '{challenge}', 'webhook-allowed-rate': '*' },
    answer: '',
  },
  /** Azure Event Grid: `SubscriptionValidationEvent`. */
  'event-grid': {
    method: 'POST',
    when: { 'header:aeg-event-type': 'SubscriptionValidation' },
    challenge: '0.data.validationCode',
    answer: { validationResponse: '{challenge}' },
  },
  /** Microsoft Graph: `notificationUrl` validation. */
  graph: { method: 'POST', challenge: 'query:validationToken' },
  /** Smartsheet: "Webhook verification". */
  smartsheet: {
    method: 'POST',
    challenge: 'header:smartsheet-hook-challenge',
    headers: { 'smartsheet-hook-response': '{challenge}' },
    answer: { smartsheetHookResponse: '{challenge}' },
  },
};
