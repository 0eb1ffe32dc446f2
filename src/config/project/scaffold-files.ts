/** What `hookctl init` writes as webhooks.yml: every line that is not a comment is the default. */
export const PROJECT_TEMPLATE = `# yaml-language-server: $schema=./.hookctl/webhooks.schema.json
#
# hookctl: settings of this project. Everything here is optional; \`hookctl check\` validates it.

# Where deliveries arrive, and where the CLI reaches the server (loopback only).
ingress: { host: 127.0.0.1, port: 8000 }
management: { port: 8001 }

# The public address under which senders reach the ingress port, if you have one.
# publicUrl: https://hooks.example.com

# Your own webhooks, in TypeScript.
static: ./webhooks/*.ts

# Changes to the built-in webhooks. Without secretEnv a secret is generated into .hookctl/.
# webhooks:
#   github:
#     secretEnv: GITHUB_WEBHOOK_SECRET
#     commandPrefix: "@agent"
#     targetAgent: brain
#     allow: { associations: [OWNER, MEMBER] }

# Tasks in Claude Code's task directory; the list has the name of this folder unless you set list.
claudeTasks: { enabled: true, record: true }

# Whom hookctl runs by itself, by the agent that a task is for. Without an entry tasks wait for you.
# agents:
#   brain: { use: claude, cwd: ., model: sonnet, timeout: 20m, allowedTools: [Edit, "Bash(npm test:*)"], budgetUsd: 2 }
# runs: { concurrency: 4, perDay: { runs: 100, usd: 20 }, perThread: { runs: 10, usd: 5 } }
`;

/** What `hookctl init` writes as webhooks/example.ts. */
export const EXAMPLE_WEBHOOK = `import { defineWebhook } from 'hookctl';

/**
 * An example: GitHub issues with the label \`bug\` become tasks, and \`@agent triage …\` in a comment makes one by hand.
 * It answers on its own endpoint, with a secret of its own: type \`hookctl serve\` to see both.
 */
export default defineWebhook({
  name: 'bugs',
  provider: 'github',
  endpoint: '/webhooks/bugs',
  commands: [
    {
      trigger: 'issues.opened',
      conditions: { 'issue.labels.name': 'bug' },
      template: 'Reproduce and explain: {{issue.title}}\\n\\n{{issue.body}}',
    },
    {
      name: 'triage',
      aliases: ['sort'],
      targetAgent: 'planning',
      template: 'Triage {{@event.title}} ({{@event.url}})\\n\\n{{@argument}}',
    },
  ],
  defaultCommand: 'triage',
});
`;
