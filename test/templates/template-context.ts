import { compileTemplate } from '../../src/templates/template.ts';
import type { JsonObject, TemplateContext } from '../../src/types.ts';

const PAYLOAD: JsonObject = {
  issue: {
    title: 'Fix it',
    body: '',
    count: 0,
    none: null,
    created_at: '2026-03-01T14:05:06Z',
    labels: [{ name: 'bug' }, { name: 'help wanted' }],
    user: { login: 'mallory' },
  },
};

/** What a template is rendered with: an issue by mallory, a command by octocat. */
export function contextOf(payload: JsonObject = PAYLOAD, sender = 'octocat'): TemplateContext {
  const person = { id: '1', name: sender, kind: 'person', association: null, appId: null } as const;
  const event = {
    type: 'issues.opened',
    externalId: 'github:o/r#1',
    sender: person,
    text: 'please look',
    author: { id: '1', name: sender },
    textOrigin: 'created',
    title: 'Fix it',
    url: 'https://github.com/o/r/issues/1',
    payload,
  } as const;
  return { event, argument: 'the login', authorOf: ([first]) => (first === 'issue' ? 'mallory' : null) };
}

/** Compiles a template that is right. */
export function compile(source: string) {
  const result = compileTemplate(source);
  if (!result.ok) throw new Error(result.message);
  return result.template;
}
/** Renders a template in one form. */
export const plain = (source: string, payload?: JsonObject) => compile(source).plain(contextOf(payload));
export const fenced = (source: string, payload?: JsonObject) => compile(source).fenced(contextOf(payload));
