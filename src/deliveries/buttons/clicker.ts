import type { GithubApps } from '../../github-app/apps.ts';
import { said } from '../../github-app/client.ts';
import { hostOf, idAt, textAt } from '../../providers/kit/payload.ts';
import { answerJson, apiPath } from '../../providers/kit/reply.ts';
import type { WebhookEvent } from '../../types.ts';

/**
 * A click on a button of a check with the association of its sender, which such a payload does not tell: those who may push are
 * collaborators, and the repository's owner is its owner. Throws while GitHub does not answer, so that the delivery is tried again.
 */
export async function withAssociation(
  apps: Pick<GithubApps, 'of' | 'token' | 'client'>,
  event: WebhookEvent,
): Promise<WebhookEvent> {
  const { payload, sender, button } = event;
  if (button === undefined || !('check' in button.on)) return event;
  const app = apps.of(hostOf(textAt(payload, 'repository', 'html_url')));
  const [owner = '', repo = ''] = (textAt(payload, 'repository', 'full_name') ?? '').split('/');
  if (sender === null || app === null || sender.association !== null) return event;
  const asAssociation = (association: string): WebhookEvent => ({
    ...event,
    sender: { ...sender, association },
  });
  // Another App's check: its buttons are none of ours.
  if (idAt(payload, 'check_run', 'app', 'id') !== app.id) return asAssociation('NONE');
  if (idAt(payload, 'repository', 'owner', 'id') === sender.id) return asAssociation('OWNER');
  const { value } = await apps.token(app, { owner, repo }, { metadata: 'read' });
  const path = apiPath('repos', owner, repo, 'collaborators', sender.name, 'permission');
  const answer = await apps.client.call(app, { method: 'GET', path }, value);
  // A login that changed hands since belongs to somebody else.
  const isSame = idAt(answerJson(answer), 'user', 'id') === sender.id;
  if (answer.status === 401)
    throw new Error(`GitHub does not tell what ${sender.name} may do: ${said(answer)}`);
  const permission = answer.status === 200 && isSame ? textAt(answerJson(answer), 'permission') : null;
  return asAssociation(permission === 'admin' || permission === 'write' ? 'COLLABORATOR' : 'NONE');
}
