import { usageError } from '../../errors.ts';
import type { TaskBody } from '../../server/api/tasks.ts';
import type { Services } from '../../services.ts';
import { type CliCommand, examples, type JsonFlags } from '../kit/command.ts';
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
  readonly url?: string;
  readonly newConversation?: boolean;
  readonly sameConversation?: boolean;
  readonly requiresApproval?: boolean;
}

export const configureCreate: CliCommand = (command, runner) => {
  command
    .description('Make a task. A child inherits flow, conversation and agent of its parent.')
    .argument('[prompt]', 'what the agent is told')
    .option('--prompt-file <file>', 'the same from a file; - reads standard input')
    .option('--title <text>', 'title; by default the first line of the prompt')
    .option('--agent <name>', 'who is to work on it; by default the agent of the parent, else brain')
    .option('--parent <id>', 'task that it comes from')
    .option('--depends-on <id>', 'task that must be completed before; repeatable', collect, [])
    .option('--external-id <id>', 'whose flow it joins, e.g. jira:PROJ-123; without a parent only')
    .option('--url <url>', 'where to read more')
    .option('--new-conversation', 'start a new conversation in the flow')
    .option('--same-conversation', 'stay in the conversation, whatever the prompt says')
    .option('--requires-approval', 'let it wait for `hookctl task approve`')
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      examples(
        'hookctl task create "Plan the fix" --parent task-01jd9x3k2a7f3kq2 --agent planning',
        'hookctl task create --prompt-file plan.md --depends-on task-01jd9x3k2a7f3kq2',
      ),
    )
    .action(runner.action(command, create));
};

async function create(app: Services, text: string | undefined, flags: CreateFlags): Promise<0> {
  const prompt = await readText(app, { option: '--prompt', text, file: flags.promptFile });
  if (prompt === null) throw usageError('a task needs a prompt', 'hookctl task create "Plan the fix"');
  const { title, agent, parent, dependsOn, externalId, url, requiresApproval } = flags;
  const body: TaskBody = {
    ...{ prompt, title, agent, url },
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
