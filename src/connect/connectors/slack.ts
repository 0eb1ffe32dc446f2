import { failure, usageError } from '../../errors.ts';
import { isJsonObject } from '../../lib/json.ts';
import { objectAt, textAt } from '../../providers/kit/payload.ts';
import { answerJson } from '../../providers/kit/reply.ts';
import type { JsonObject, JsonValue } from '../../types.ts';
import type { ApiRequest } from '../api.ts';
import type { Connector, HookSettings } from '../connector.ts';
import { usedEvents } from '../events.ts';
import { stringsAt } from '../reading.ts';

const TEXTS = ['app_mention', 'message.im'];
const MESSAGES = ['message.channels', 'message.groups', 'message.im', 'message.mpim'];
/** The events of hookctl's that Slack names in another way, or does not send as events. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'message.channel': ['message.channels'],
  'message.group': ['message.groups'],
  'message.im': ['message.im'],
  'message.mpim': ['message.mpim'],
};
const NO_EVENTS =
  /^(?:slash_command|block_actions|message_action|shortcut|view_\w+|url_verification|app_rate_limited)$/;
/** What each event needs. Source: docs.slack.dev, "Events API types". */
const SCOPES: readonly (readonly [event: RegExp, scopes: readonly string[]])[] = [
  [/^app_mention$/, ['app_mentions:read']],
  [/^message\.channels$/, ['channels:history']],
  [/^message\.groups$/, ['groups:history']],
  [/^message\.im$/, ['im:history']],
  [/^message\.mpim$/, ['mpim:history']],
  [/^reaction_/, ['reactions:read']],
  [/^(?:channel|member)_/, ['channels:read', 'groups:read']],
  [/^(?:team_join|user_change|user_)/, ['users:read']],
  [/^file_/, ['files:read']],
  [/^pin_/, ['pins:read']],
  [/^emoji_/, ['emoji:read']],
  [/^link_shared$/, ['links:read']],
];
/** For replies, and to read what was said while nothing could arrive. */
const OWN_SCOPES = [
  ...['chat:write', 'reactions:write', 'channels:history', 'channels:read'],
  ...['groups:history', 'groups:read', 'im:history', 'im:read'],
];
const APPS = 'https://api.slack.com/apps';

/**
 * Slack apps, made by manifest with a configuration token. Slack lists no apps: each is read by its id, and one whose id was lost
 * is found by a person alone. Request URLs are asked a question when they are given, so that the app is made without them first.
 * Source: docs.slack.dev, "App manifests"; @slack/web-api 8, `AppsManifestCreateResponse`, `Manifest`.
 */
export const slack: Connector = {
  name: 'slack',
  targets: 'a name for the app',
  example: 'hookctl',
  accountName: 'slack-config',
  logAccount: {
    accountName: 'slack',
    right: () =>
      'Reading what was said needs the bot token with channels:history and channels:read (private channels: groups:…, direct messages: im:…). Add the scopes and install the app again: https://api.slack.com/apps',
  },
  makesSecret: true,
  keepsAdopted: true,
  isUrlAsked: true,

  target(text) {
    if (/^[\w.-][\w. -]{0,34}$/.test(text)) return { kind: 'manifest', name: text };
    throw usageError(
      `${text} is no name of an app`,
      'Write a name of at most 35 letters: hookctl connect slack hookctl',
    );
  },
  eventsOf: (webhook) =>
    usedEvents(webhook, {
      texts: TEXTS,
      nameOf(type) {
        if (NO_EVENTS.test(type)) return [];
        return NAMES[type] ?? (type.startsWith('message') ? MESSAGES : [type.split('.')[0] ?? type]);
      },
      all: [...TEXTS, 'message.channels', 'message.groups', 'reaction_added'],
    }),
  right(_, answer) {
    const error = textAt(answerJson(answer), 'error') ?? '';
    const isRight =
      answer.status !== 200 ||
      /auth|token|access_denied|not_allowed|no_permission|missing_scope|app_not_owned/.test(error);
    return isRight
      ? `Apps are made and changed with a configuration token of the workspace, by the person who owns the app. Make one on ${APPS} ("Your App Configuration Tokens") and set SLACK_CONFIG_TOKEN to its refresh token, which works once and is renewed from then on`
      : null;
  },

  list: () => null,
  show: (_, id) => method('apps.manifest.export', { app_id: id }),
  isGone: (answer) =>
    /^(?:app_not_found|invalid_app_id|invalid_app)$/.test(textAt(answerJson(answer), 'error') ?? ''),
  readList({ json }) {
    const manifest = isJsonObject(json) ? objectAt(json, 'manifest') : null;
    if (manifest === null) return [];
    return [
      {
        id: '',
        url: textAt(manifest, 'settings', 'event_subscriptions', 'request_url') ?? '',
        events: stringsAt(manifest, 'settings', 'event_subscriptions', 'bot_events'),
        ...{ isActive: true, disabled: null, hasSecret: null, settings: manifest },
      },
    ];
  },
  validate: ({ name }, hook) => method('apps.manifest.validate', { manifest: ownManifest(name, hook) }),
  create: ({ name }, hook) => method('apps.manifest.create', { manifest: ownManifest(name, hook) }),
  readCreated({ json }) {
    const id = textAt(json, 'app_id');
    // The answer itself is not shown: it holds secrets.
    if (id === null) throw failure('no_hook_id', 'the answer names no app');
    return {
      ...{ id, secret: textAt(json, 'credentials', 'signing_secret') },
      note: `install the app in your workspace: ${APPS}/${id} › Install App. Then put its bot token (xoxb-…) into SLACK_BOT_TOKEN`,
    };
  },
  update: ({ name }, id, hook, before) =>
    method('apps.manifest.update', {
      app_id: id,
      manifest: withHook(before?.settings ?? ownManifest(name, hook), hook),
    }),
  repoint: ({ name }, id, hook, before) =>
    method('apps.manifest.update', {
      app_id: id,
      manifest:
        before == null || before.url === ''
          ? withHook(before?.settings ?? ownManifest(name, hook), hook)
          : moved(before.settings ?? {}, before.url, hook.url),
    }),
  remove: (_, id) => ({ ...method('apps.manifest.delete', { app_id: id }), isRepeatable: true }),
};

function method(name: string, fields: Readonly<Record<string, string | JsonObject>>): ApiRequest {
  const texts = Object.entries(fields).map(([key, value]): [string, string] => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return {
    ...{ method: 'POST', path: `/${name}`, body: new URLSearchParams(texts) },
    isRepeatable: name !== 'apps.manifest.create',
  };
}

/** What hookctl needs, without addresses. */
function ownManifest(name: string, { events }: Pick<HookSettings, 'events'>): JsonObject {
  const needed = SCOPES.flatMap(([event, scopes]) => (events.some((each) => event.test(each)) ? scopes : []));
  return {
    display_information: { name, description: 'Starts and follows the work of agents' },
    features: { bot_user: { display_name: name, always_online: true } },
    oauth_config: { scopes: { bot: [...new Set([...OWN_SCOPES, ...needed])].toSorted() } },
    settings: { org_deploy_enabled: false, socket_mode_enabled: false, token_rotation_enabled: false },
  };
}

/** A manifest with what hookctl gives it; all else that a person wrote there stays. */
function withHook(manifest: JsonObject, { url, events }: HookSettings): JsonObject {
  const needed = stringsAt(ownManifest('', { events }), 'oauth_config', 'scopes', 'bot');
  const has = stringsAt(manifest, 'oauth_config', 'scopes', 'bot');
  const [oauth, settings] = [objectAt(manifest, 'oauth_config') ?? {}, objectAt(manifest, 'settings') ?? {}];
  return {
    ...manifest,
    oauth_config: {
      ...oauth,
      scopes: { ...(objectAt(oauth, 'scopes') ?? {}), bot: [...new Set([...has, ...needed])] },
    },
    settings: {
      ...settings,
      event_subscriptions: {
        ...(objectAt(settings, 'event_subscriptions') ?? {}),
        ...{ request_url: url, bot_events: [...events] },
      },
      interactivity: {
        ...(objectAt(settings, 'interactivity') ?? {}),
        ...{ is_enabled: true, request_url: url },
      },
    },
  };
}

/** Every address that is the former one: events, clicks, slash commands. */
function moved(value: JsonObject, from: string, to: string): JsonObject {
  const move = (_: string, each: JsonValue) => (each === from ? to : each);
  return JSON.parse(JSON.stringify(value, move));
}
