import { BOT, MOVED, NO_TEXT, type TextCase, UNNAMED, WROTE } from './case.ts';

const BY_STRANGER = { object_attributes: { author_id: 900 } };

/** User names by gitlab-org/gitlab `has_user_type.rb`, `lib/users/internal.rb`, and the API of service accounts. */
const MACHINES = [
  'project_5_bot_1a2b3c',
  'project_5_bot1',
  'group_345_bot_1a2b3c',
  'service_account_345c468757e6df2fc104',
  'service_account_group_345_c468757e6df2fc104de54ea470539bb5',
  'service_account_project_12_c468757e6df2fc104de54ea470539bb5',
  'support-bot',
  'support-bot1',
  'alert-bot',
  'migration-bot',
  'automation-bot',
  'visual-review-bot',
  'suggested-reviewers-bot',
  'GitLab-Security-Bot',
  'GitLab-Admin-Bot',
  'GitLab-Llm-Bot',
  'GitLabDuo',
  'security-policy-bot-7',
  'ghost',
  'ghost1',
  'import_user_namespace_7_1a2b',
  'ada_placeholder_user_1',
];
const PEOPLE = ['ghostwriter', 'supportive', 'project_manager', 'botany', 'service-team', 'ada_placeholders'];

export const gitlab: readonly TextCase[] = [
  ...MACHINES.map((username) => ({
    name: `A2: ${username}`,
    sample: 'note.create',
    change: { user: { username } },
    refused: username === '' ? BOT : `${username} acts through app 51`,
  })),
  ...PEOPLE.map((username) => ({
    name: `${username}, a person`,
    sample: 'note.create',
    change: { user: { username } },
    refused: null,
  })),
  {
    name: 'A2: a service account with a name of its own, by its address',
    sample: 'note.create',
    change: {
      user: { username: 'deployer', email: 'service_account_group_345_1a2b@noreply.gitlab.example' },
    },
    refused: 'deployer acts through app 51',
  },
  {
    name: 'A2: Service Desk, where `allow.apps` names it',
    sample: 'issue.open',
    change: { user: { username: 'support-bot' } },
    apps: ['51'],
    refused: null,
  },
  ...['issue.open', 'work_item.open'].map((type) => ({
    name: `A1: an issue that its own author moved, as ${type}`,
    sample: 'issue.open',
    type,
    change: {
      object_kind: type.slice(0, -'.open'.length),
      object_attributes: { created_at: '2026-11-01 08:00:00 UTC', updated_at: '2026-11-23 12:00:00 UTC' },
    },
    refused: MOVED,
  })),
  {
    name: 'A1: an issue that its own author cloned',
    sample: 'issue.open',
    change: { object_attributes: { last_edited_at: '2026-11-01 08:00:00 UTC' } },
    refused: MOVED,
  },
  {
    name: 'A1: a new issue whose labels were set in the same moment',
    sample: 'issue.open',
    change: {
      object_attributes: {
        created_at: '2026-11-23T12:00:00Z',
        updated_at: '2026-11-23T12:00:03Z',
        last_edited_at: null,
      },
    },
    refused: null,
  },
  {
    name: 'A1: a merge request that GitLab prepared for minutes',
    sample: 'merge_request.open',
    change: {
      object_attributes: { created_at: '2026-11-23 12:00:00 UTC', updated_at: '2026-11-23 12:05:00 UTC' },
    },
    refused: null,
  },
  { name: 'A1: an issue that a maintainer moved', sample: 'issue.open', change: BY_STRANGER, refused: WROTE },
  {
    name: 'A1: an imported merge request',
    sample: 'merge_request.open',
    change: BY_STRANGER,
    refused: WROTE,
  },
  { name: 'A1: a note that a maintainer edited', sample: 'note.update', change: BY_STRANGER, refused: WROTE },
  {
    name: 'A1: a text without an author',
    sample: 'issue.open',
    change: { object_attributes: { author_id: null } },
    refused: UNNAMED,
  },
  {
    name: 'a note of GitLab itself',
    sample: 'note.create',
    change: { object_attributes: { system: true } },
    refused: NO_TEXT,
  },
  {
    name: 'a label on a stranger’s issue',
    sample: 'issue.open',
    change: { object_attributes: { action: 'update', author_id: 900 }, changes: { labels: {} } },
    refused: NO_TEXT,
  },
];
