import type { JsonObject, ReplyChannel } from '../../types.ts';
import type { BuiltInProvider } from '../facts.ts';
import { objectsAt, textAt } from '../kit/payload.ts';
import { STANDARD_WEBHOOKS } from '../scheme/scheme.ts';
import type { ValidSettings } from '../scheme/settings.ts';
import { telegramReply, zendeskReply } from './replies.ts';
import { teamsReply } from './teams.ts';

/** A sender that settings of `generic` describe. */
interface Preset {
  /** Where it takes a webhook, and what else there is to do: a line of the docs. */
  readonly setUp: string;
  /** Its own documents. */
  readonly source: string;
  readonly settings: ValidSettings;
  /** The event type, where it is not written at one place. Null when the settings say it. */
  readonly typeOf?: (payload: JsonObject) => string | null;
  /** The same bytes may say something new. */
  readonly mayRepeat?: true;
  readonly reply?: ReplyChannel;
}

/** `RESULTS` of Buildbot, in its order. */
const BUILDBOT = ['success', 'warnings', 'failure', 'skipped', 'exception', 'retry', 'cancelled'];
/** A token that the sender sends as `Authorization: Bearer …`. */
const BEARER = { scheme: 'token', header: 'authorization' } as const;
const STANDARD: ValidSettings = { ...STANDARD_WEBHOOKS, uniqueBy: 'id' };
const lower = (text: string | null) => text?.toLowerCase() ?? null;
const word = (kind: string, text: string | null) => (text === null ? null : `${kind}.${text.toLowerCase()}`);

/** Every preset by its name. What no entry says is as `generic` has it. */
export const PRESETS: Readonly<Partial<Record<BuiltInProvider, Preset>>> = {
  ghost: {
    setUp:
      'Settings › Advanced › Integrations › Custom › Add webhook, with the secret. In production it posts to public addresses only.',
    source: 'ghost.org/docs/webhooks',
    settings: {
      header: 'x-ghost-signature',
      prefix: 'sha256=',
      separator: ', ',
      timestamp: 'part:t',
      timestampUnit: 'ms',
      signedContent: '{body}{timestamp}',
      eventType: 'event',
      externalId:
        'post.current.id|page.current.id|member.current.id|tag.current.id|post.previous.id|page.previous.id|member.previous.id|tag.previous.id',
      title: 'post.current.title|page.current.title|member.current.name|tag.current.name',
      url: 'post.current.url|page.current.url|tag.current.url',
    },
  },
  strapi: {
    setUp: 'Settings › Webhooks, with the header Authorization: Bearer <secret>.',
    source: 'docs.strapi.io, Webhooks',
    settings: {
      ...BEARER,
      eventType: 'header:x-strapi-event',
      externalId: '{uid}#{entry.documentId}',
      title: 'entry.title',
    },
  },
  verdaccio: {
    setUp:
      'notify in config.yaml: headers: [{Authorization: "Bearer <secret>"}], content: \'{"name":"{{name}}","type":"{{publishType}}","package":"{{publishedPackage}}"}\'.',
    source: 'verdaccio.org/docs/notifications',
    settings: { ...BEARER, eventType: 'package.{type}', externalId: '{name}', title: 'package' },
  },
  buildbot: {
    setUp: 'HttpStatusPush with auth=("hookctl", "<secret>").',
    source: 'docs.buildbot.net, HttpStatusPush',
    settings: {
      scheme: 'basic',
      externalId: '{builder.name}#{number}',
      title: 'state_string',
      url: 'url',
      uniqueBy: '{buildid}:{complete}',
      strangersWords: false,
    },
    typeOf: ({ complete, results }) =>
      complete !== true
        ? 'build.started'
        : `build.${(typeof results === 'number' ? BUILDBOT[results] : undefined) ?? 'finished'}`,
  },
  zabbix: {
    setUp:
      'A media type of type Webhook, whose script posts event_id, status, host, name, severity, url and at, signs the text by hmac("sha256", secret, text) in X-Zabbix-Signature, and adds Content-Type: application/json.',
    source: 'zabbix.com/documentation, Webhook media type',
    settings: {
      header: 'x-zabbix-signature',
      externalId: '{event_id}',
      title: '{host}: {name}',
      url: 'url',
      uniqueBy: '{event_id}:{status}:{at}',
      strangersWords: false,
    },
    typeOf: (payload) => word('problem', textAt(payload, 'status')),
  },
  jenkins: {
    setUp: 'The Notification plugin, format JSON, protocol HTTP; the URL ends in ?token=<secret>.',
    source: 'plugins.jenkins.io/notification',
    settings: {
      scheme: 'token',
      signature: 'query:token',
      externalId: '{name}#{build.number}',
      title: '{name} #{build.number}',
      url: 'build.full_url',
      uniqueBy: '{name}#{build.number}:{build.phase}',
      strangersWords: false,
    },
    typeOf: (payload) => {
      const phase = lower(textAt(payload, 'build', 'phase'));
      const status = phase === 'finalized' ? lower(textAt(payload, 'build', 'status')) : null;
      return `build.${status ?? phase ?? 'unknown'}`;
    },
  },
  'azure-devops': {
    setUp:
      'Project settings › Service hooks › Web Hooks, with basic authentication: user hookctl, the secret as password.',
    source: 'learn.microsoft.com/azure/devops/service-hooks',
    settings: {
      scheme: 'basic',
      eventType: 'eventType',
      externalId: '{publisherId}:{resource.id}',
      title: 'message.text',
      uniqueBy: 'id',
    },
  },
  buildkite: {
    setUp: 'Settings › Notification services › Webhook, with the token as “HMAC signature”.',
    source: 'buildkite.com/docs/apis/webhooks',
    settings: {
      header: 'x-buildkite-signature',
      separator: ',',
      prefix: 'signature=',
      timestamp: 'part:timestamp',
      signedContent: '{timestamp}.{body}',
      eventType: 'event',
      externalId: '{pipeline.slug}#{build.number}',
      title: 'build.message',
      url: 'build.web_url',
    },
  },
  circleci: {
    setUp: 'Project settings › Webhooks, with the secret token.',
    source: 'circleci.com/docs/webhooks',
    settings: {
      header: 'circleci-signature',
      separator: ',',
      prefix: 'v1=',
      eventType: '{type}.{workflow.status}{job.status}',
      externalId: '{project.slug}#{pipeline.number}',
      title: 'job.name|workflow.name',
      url: 'workflow.url',
      uniqueBy: 'id',
    },
  },
  datadog: {
    setUp:
      'Integrations › Webhooks, with the custom header {"Authorization":"Bearer <secret>"} and the payload {"id":"$ID","alert_id":"$ALERT_ID","title":"$EVENT_TITLE","transition":"$ALERT_TRANSITION","url":"$LINK","text":"$TEXT_ONLY_MSG"}.',
    source: 'docs.datadoghq.com/integrations/webhooks',
    settings: {
      ...BEARER,
      externalId: '{alert_id}',
      title: 'title',
      url: 'url',
      uniqueBy: '{id}:{transition}',
      strangersWords: false,
    },
    typeOf: (payload) => word('alert', textAt(payload, 'transition')),
  },
  opsgenie: {
    setUp: 'Settings › Integrations › Webhook, with the custom header Authorization: Bearer <secret>.',
    source: 'support.atlassian.com/opsgenie, Webhook integration',
    settings: {
      ...BEARER,
      externalId: '{alert.alertId}',
      title: 'alert.message',
      uniqueBy: '{alert.alertId}:{action}:{alert.updatedAt}',
    },
    typeOf: (payload) => word('alert', textAt(payload, 'action')),
  },
  notion: {
    setUp:
      'The integration’s Webhooks tab; the token of its first request is the secret (hookctl webhook await).',
    source: 'developers.notion.com/reference/webhooks',
    settings: {
      header: 'x-notion-signature',
      prefix: 'sha256=',
      handshake: ['notion'],
      eventType: 'type',
      externalId: '{entity.type}:{entity.id}',
      uniqueBy: 'id',
    },
  },
  asana: {
    setUp: 'POST /webhooks of its API; its first request brings the secret (hookctl webhook await).',
    source: 'developers.asana.com/docs/webhooks-guide',
    settings: {
      header: 'x-hook-signature',
      handshake: ['asana'],
      eventsAt: 'events',
      eventType: '{resource.resource_type}.{action}',
      externalId: '{resource.resource_type}:{resource.gid}',
      title: 'resource.name',
      sender: 'user.gid',
      uniqueBy: '{resource.gid}:{action}:{created_at}',
    },
  },
  clickup: {
    setUp: 'POST /team/{id}/webhook of its API; the answer holds the secret.',
    source: 'developer.clickup.com/docs/webhooks',
    settings: {
      header: 'x-signature',
      eventType: 'event',
      externalId: '{task_id}',
      sender: 'history_items.0.user.id',
      senderName: 'history_items.0.user.username',
      text: 'history_items.0.comment.text_content',
      textEvents: ['taskCommentPosted'],
      uniqueBy: '{webhook_id}:{history_items.0.id}',
    },
  },
  teams: {
    setUp:
      'A team › Manage team › Apps › Create an outgoing webhook; it shows the secret. It wants an answer at once.',
    source: 'learn.microsoft.com/microsoftteams, Outgoing webhooks',
    settings: {
      header: 'authorization',
      prefix: 'HMAC ',
      encoding: 'base64',
      secretEncoding: 'base64',
      eventType: 'type',
      externalId: '{conversation.id}',
      sender: 'from.aadObjectId',
      senderName: 'from.name',
      text: 'text',
      textEvents: ['message'],
      uniqueBy: 'id',
      answerStatus: 200,
      answerType: 'application/json',
      answerBody: '{"type":"message","text":"hookctl has it."}',
    },
    reply: teamsReply,
  },
  telegram: {
    setUp: 'setWebhook of the Bot API, with url and secret_token.',
    source: 'core.telegram.org/bots/api#setwebhook',
    settings: {
      scheme: 'token',
      header: 'x-telegram-bot-api-secret-token',
      externalId:
        'message.chat.id|edited_message.chat.id|channel_post.chat.id|edited_channel_post.chat.id|callback_query.message.chat.id|my_chat_member.chat.id',
      sender: 'message.from.id|edited_message.from.id|callback_query.from.id',
      senderName: 'message.from.username|edited_message.from.username|callback_query.from.username',
      text: 'message.text',
      textEvents: ['message'],
      uniqueBy: 'update_id',
    },
    typeOf: (payload) =>
      Object.keys(payload).find((name) => name !== 'update_id' && payload[name] !== null) ?? null,
    reply: telegramReply,
  },
  zendesk: {
    setUp:
      'Admin Center › Apps and integrations › Webhooks, with ticket events; it shows the signing secret.',
    source: 'developer.zendesk.com, Verifying webhooks',
    settings: {
      header: 'x-zendesk-webhook-signature',
      timestamp: 'header:x-zendesk-webhook-signature-timestamp',
      timestampUnit: 'iso',
      encoding: 'base64',
      signedContent: '{timestamp}{body}',
      externalId: '{detail.id}',
      title: 'detail.subject',
      sender: 'event.comment.author.id',
      senderName: 'event.comment.author.name',
      text: 'event.comment.body',
      textEvents: ['ticket.comment_added'],
      uniqueBy: 'id',
    },
    typeOf: (payload) => textAt(payload, 'type')?.replace(/^zen:event-type:/, '') ?? null,
    reply: zendeskReply,
  },
  twilio: {
    setUp:
      'A number › Messaging › A message comes in: the URL; the secret is the auth token. Options: publicUrl where a proxy changes it.',
    source: 'twilio.com/docs/usage/webhooks/webhooks-security',
    settings: {
      header: 'x-twilio-signature',
      algorithm: 'sha1',
      encoding: 'base64',
      signedContent: '{url}{form}',
      externalId: '{From}',
      sender: 'From',
      text: 'Body',
      textEvents: ['message.received'],
      // A call asks again and again under one status, each time with other digits.
      uniqueBy: '{MessageSid}:{MessageStatus|SmsStatus}',
      answerStatus: 200,
      answerType: 'text/xml',
      answerBody: '<Response></Response>',
    },
    typeOf: (payload) =>
      word('call', textAt(payload, 'CallStatus')) ??
      word('message', textAt(payload, 'MessageStatus') ?? textAt(payload, 'SmsStatus')),
  },
  sendgrid: {
    setUp:
      'Settings › Mail settings › Event webhook, with signature verification; its public key is the secret.',
    source: 'twilio.com/docs/sendgrid, Event Webhook security',
    settings: {
      eventType: 'event',
      scheme: 'ecdsa',
      header: 'x-twilio-email-event-webhook-signature',
      timestamp: 'header:x-twilio-email-event-webhook-timestamp',
      signedContent: '{timestamp}{body}',
      externalId: '{email}',
      title: 'email',
      uniqueBy: 'sg_event_id',
    },
  },
  mailgun: {
    setUp:
      'Send › Webhooks; the secret is the HTTP webhook signing key. It signs a time and a token, not the content.',
    source: 'documentation.mailgun.com, Securing webhooks',
    settings: {
      signature: 'signature.signature',
      signedContent: '{payload:signature.timestamp}{payload:signature.token}',
      timestamp: 'signature.timestamp',
      eventType: 'event-data.event',
      externalId: '{event-data.message.headers.message-id}',
      title: 'event-data.recipient',
      uniqueBy: 'signature.token',
    },
  },
  paypal: {
    setUp:
      'Apps & credentials › the app › Webhooks; the secret is the webhook’s id, which it signs with the content’s CRC-32.',
    source: 'developer.paypal.com/api/rest/webhooks/rest',
    settings: {
      scheme: 'rsa',
      header: 'paypal-transmission-sig',
      keys: 'header:paypal-cert-url',
      keyHosts: ['api.paypal.com', 'api.sandbox.paypal.com', 'cacerts.digicert.com'],
      keyNames: ['messageverificationcerts.paypal.com', 'messageverificationcerts.sandbox.paypal.com'],
      timestamp: 'header:paypal-transmission-time',
      timestampUnit: 'iso',
      deliveryId: 'header:paypal-transmission-id',
      signedContent: '{id}|{timestamp}|{secret}|{crc32}',
      eventType: 'event_type',
      externalId: '{resource.id}',
      title: 'summary',
      uniqueBy: 'id',
    },
  },
  dropbox: {
    setUp:
      'App console › the app › Webhooks; the secret is the app secret (hookctl webhook await). It says that files changed, not which.',
    source: 'dropbox.com/developers/reference/webhooks',
    settings: { header: 'x-dropbox-signature', handshake: ['dropbox'], strangersWords: false },
    typeOf: () => 'files.changed',
    mayRepeat: true,
  },
  meta: {
    setUp:
      'App dashboard › Webhooks; the secret is the app secret, the verify token any text (hookctl webhook await).',
    source: 'developers.facebook.com/docs/graph-api/webhooks',
    settings: {
      header: 'x-hub-signature-256',
      prefix: 'sha256=',
      handshake: ['meta'],
      eventsAt: 'entry',
      externalId: '{id}',
    },
    typeOf: (payload) =>
      textAt(objectsAt(payload, 'changes')[0], 'field') ??
      Object.keys(payload).find((name) => Array.isArray(payload[name])) ??
      null,
  },
  anthropic: {
    setUp: 'Claude Console › Manage › Webhooks; it shows the secret (whsec_…).',
    source: 'platform.claude.com/docs, Webhooks',
    settings: { ...STANDARD, eventType: 'data.type', externalId: '{data.id}' },
  },
  openai: {
    setUp: 'Settings › Project › Webhooks; it shows the secret (whsec_…).',
    source: 'platform.openai.com/docs/guides/webhooks',
    settings: { ...STANDARD, eventType: 'type', externalId: '{data.id}' },
  },
  cloudevents: {
    setUp:
      'Any sender of CloudEvents, with the header Authorization: Bearer <secret>; else options of its scheme.',
    source: 'cloudevents.io, HTTP protocol binding 1.0.2',
    settings: { ...BEARER, shape: 'cloudevents', handshake: ['cloudevents'] },
  },
};
