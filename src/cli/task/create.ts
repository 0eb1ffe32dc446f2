import { usageError } from '../../errors.ts';
import type { TaskBody } from '../../server/api/tasks.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { managementCall } from '../kit/operate.ts';
import { collect } from '../kit/options.ts';
import { readText } from '../kit/prompts.ts';
import { printChanged } from './change.ts';

interface CreateFlags extends JsonFlags {
  readonly promptFile?: string;
  readonly title?: string;
  readonly agent?: string;
  readonly parent?: string;
  readonly dependsOn: readonly string[];
  readonly externalId?: string;
  readonly owner?: string;
  readonly url?: string;
  readonly newConversation?: boolean;
  readonly sameConversation?: boolean;
  readonly requiresApproval?: boolean;
}

export const configureCreate: CliCommand = (command, runner) => {
  command
    .description('Create a task. A child inherits flow, conversation and agent from its parent.')
    .argument('[prompt]', 'instructions for the agent')
    .option('--prompt-file <file>', 'read the prompt from a file; - reads standard input')
    .option('--title <text>', 'title (default: the first line of the prompt)')
    .option('--agent <name>', 'agent that works on it (default: the parent’s agent, or brain)')
    .option('--parent <id>', 'parent task')
    .option('--depends-on <id>', 'task that must be completed first (repeatable)', collect, [])
    .option('--external-id <id>', 'flow to join, e.g. jira:PROJ-123; not with --parent')
    .option('--owner <name>', 'whose it is (default: the parent’s owner, or operator)')
    .option('--url <url>', 'link to more information')
    .option('--new-conversation', 'start a new conversation in the flow')
    .option('--same-conversation', 'continue the conversation, whatever the prompt says')
    .option('--requires-approval', 'wait for `hookctl task approve` before it runs')
    .option('--json', 'print one object')
    .examples(
      'hookctl task create "Plan the fix" --parent task-01jd9x3k2a7f3kq2 --agent planning',
      'hookctl task create --prompt-file plan.md --depends-on task-01jd9x3k2a7f3kq2',
    )
    .action(runner.action(command, create));
};

async function create(app: Services, text: string | undefined, flags: CreateFlags): Promise<0> {
  const prompt = await readText(app, { option: '--prompt', text, file: flags.promptFile });
  if (prompt === null) throw usageError('a task needs a prompt', 'hookctl task create "Plan the fix"');
  const { title, agent, parent, dependsOn, externalId, owner, url, requiresApproval } = flags;
  const body: TaskBody = {
    ...{ prompt, title, agent, owner, url },
    parent_task_id: parent,
    depends_on: dependsOn,
    external_id: externalId,
    metadata: conversationWish(flags),
    requires_approval: requiresApproval,
    source: 'cli',
  };
  const call = await managementCall(app, 'task create');
  return printChanged(app, await call({ method: 'POST', path: '/api/tasks', body }), flags.json);
}

function conversationWish({ newConversation, sameConversation }: CreateFlags) {
  if (newConversation === true && sameConversation === true) {
    throw usageError('--new-conversation and --same-conversation exclude each other');
  }
  if (newConversation === true) return { new_conversation: true };
  return sameConversation === true ? { new_conversation: false } : {};
}
