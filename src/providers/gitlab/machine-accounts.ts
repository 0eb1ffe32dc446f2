/**
 * User names of accounts that no person uses, by GitLab's user types (all but `human`). Payloads do not tell the type. A taken name
 * gets a number behind it, and names of another organisation a suffix. Service accounts may be given any name: one that
 * was renamed cannot be told from a person. Source: gitlab-org/gitlab `app/models/concerns/has_user_type.rb`,
 * `lib/users/internal.rb` (`unique_internal`), docs.gitlab.com "Project access tokens", "Group service accounts".
 */
const MACHINES: readonly RegExp[] = [
  // project_bot: project and group access tokens.
  /^(?:project|group)_\d+_bot/,
  // service_account: of the instance, a group or a project.
  /^service[_-]account[_-]/,
  // support_bot writes what anybody mails to Service Desk; alert_bot, migration_bot, automation_bot, visual_review_bot.
  /^(?:support|alert|migration|automation|visual-review|suggested-reviewers)-bot(?:\d+|[-_].*)?$/,
  // security_bot, admin_bot, llm_bot, duo_code_review_bot.
  /^gitlab-(?:security|admin|llm)-bot(?:\d+|[-_].*)?$/,
  /^(?:security|admin)-bot\d*$/,
  /^gitlabduo(?:\d+|[-_].*)?$/,
  // security_policy_bot.
  /^(?:gitlab[-_])?security[-_]policy[-_](?:project[-_]\d+[-_])?bot/,
  // ghost: who was deleted.
  /^ghost\d*$/,
  // import_user and placeholder: whose text an import brought.
  /^import_user(?:_|$)/,
  /_placeholder(?:_user)?(?:_|$)/,
];

/** Whether a user name is one that GitLab gives to accounts of its own, of tokens or of services. */
export function isMachineName(username: string): boolean {
  const name = username.toLowerCase();
  return MACHINES.some((pattern) => pattern.test(name));
}
