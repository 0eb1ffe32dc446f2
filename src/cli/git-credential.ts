import { usageError } from '../errors.ts';
import { say } from '../lib/io.ts';
import { escapeInvisibleLine } from '../lib/text/escape-invisible.ts';
import type { Services } from '../services.ts';
import type { CliCommand } from './kit/command.ts';

export const configureGitCredential: CliCommand = (command, runner) => {
  command
    .description(
      'Give git in an agent’s run a token of hookctl’s GitHub App. git itself calls it, as a credential helper.',
    )
    .argument('<action>', 'get, store or erase, as git says it')
    .examples('git -c credential.helper="!hookctl git-credential" push')
    .action(runner.action(command, answerGit));
};

/** Longest question that git asks, in characters. */
const MOST = 65_536;

/** What git is told on stdout; why it is told nothing goes to stderr. git asks no one else then: `quit` ends its search. */
async function answerGit({ io, env, stdin }: Services, action: string): Promise<0> {
  if (action === 'store') return 0;
  if (action !== 'get' && action !== 'erase') throw usageError(`git has no action ${action}`);
  const { HOOKCTL_MCP_URL: url, HOOKCTL_RUN_TOKEN: token, HOOKCTL_RUN_ID: run } = env;
  const { protocol = '', host = '', path, password } = await question(stdin());
  const refuse = (why: string): 0 => {
    say(io.err, `hookctl: no token for ${escapeInvisibleLine(host)}: ${escapeInvisibleLine(why)}`);
    if (action === 'get') say(io.out, 'quit=1');
    return 0;
  };
  if (url === undefined || token === undefined || run === undefined)
    return refuse('this is no run of an agent; only those get tokens');
  const { requestLocal } = await import('../lib/http/local-request.ts');
  const asked = { action, protocol, host, ...(path && { path }), ...(password && { password }) };
  const answer = await requestLocal(new URL(`/hooks/git/${run}`, url).href, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(asked),
    timeoutMs: 60_000,
  }).catch((error: unknown) => ({
    status: 0,
    text: JSON.stringify({ detail: `hookctl does not answer (${String(error)})` }),
  }));
  const said = JSON.parse(answer.text) as Readonly<
    Record<'username' | 'password' | 'code' | 'detail' | 'fix', string | undefined>
  >;
  if (action === 'erase' || said.code === 'no_app') return 0;
  if (answer.status !== 200) return refuse([said.detail, said.fix].filter(Boolean).join('. '));
  say(io.out, `username=${said.username}\npassword=${said.password}`);
  return 0;
}

/** `key=value` lines up to an empty one; keys that are not known are skipped, and carriage returns are none of theirs. */
async function question(stdin: NodeJS.ReadStream): Promise<Readonly<Record<string, string>>> {
  let text = '';
  for await (const part of stdin.setEncoding('utf8')) {
    text += String(part);
    if (text.length > MOST || /\r?\n\r?\n/.test(text)) break;
  }
  const lines = text
    .split(/\r?\n/)
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  return Object.fromEntries(lines.filter(([key]) => key !== ''));
}
