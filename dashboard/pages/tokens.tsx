import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { SCOPES } from '../../src/server/access/caller.ts';
import type { TokenView } from '../../src/server/access/routes.ts';
import { useOwner } from '../kit/access.ts';
import { ask } from '../kit/api.ts';
import { ActionButton } from '../kit/form.tsx';
import { DoingNote, Empty, ErrorNote, Section, State, Time, visible } from '../kit/parts.tsx';
import { useApi, useDoing } from '../kit/use.ts';
import { Secret } from './webhook.tsx';

interface Items {
  readonly items: readonly TokenView[];
}

const DAY_MS = 86_400_000;
const DAYS = ['1', '7', '30', '90', '365'];

/** Tokens of owners, which open the API for what is theirs. */
export function Tokens(): JSX.Element {
  const { data, error, reload } = useApi<Items>('/api/tokens');
  return (
    <Section title="Tokens of owners">
      <ErrorNote error={error} />
      {data?.items.length === 0 && <Empty>None.</Empty>}
      <ul class="plain">
        {data?.items.map(({ id, owner, name, scopes, expires_at: at, is_expired: isOver }) => (
          <li key={id} class="row">
            <State of={isOver ? 'expired' : 'enabled'} />
            <span class="id">{id}</span>
            <strong>{visible(owner)}</strong>
            <span>{scopes.join(', ')}</span>
            <span class="dim">{visible(name ?? '')}</span>
            <span class="dim">until</span> <Time at={at} />
            <ActionButton<Items>
              word="Revoke"
              tone="bad"
              path={`/api/tokens/${encodeURIComponent(id)}/revoke`}
              confirming={`Revoke ${id} of ${owner}, and the tokens made with it?`}
              done={({ items }) => `Revoked ${items.map((each) => each.id).join(', ')}.`}
              reload={reload}
            />
          </li>
        ))}
      </ul>
      <Make reload={reload} />
    </Section>
  );
}

function Make({ reload }: { readonly reload: () => void }): JSX.Element {
  const [owner, setOwner] = useState('');
  const [days, setDays] = useState('30');
  const [scopes, setScopes] = useState<readonly string[]>(['read']);
  const [made, setMade] = useState<string | null>(null);
  const holder = useOwner();
  const doing = useDoing();
  const make = () =>
    doing.run(async () => {
      const body = { ...(owner !== '' && { owner }), scopes, ttl_ms: Number(days) * DAY_MS };
      const { id, token } = await ask<TokenView & { readonly token: string }>('POST', '/api/tokens', body);
      setMade(token);
      reload();
      return `Made ${id}.`;
    });
  return (
    <details>
      <summary>Make a token</summary>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          make();
        }}
      >
        {holder === null && (
          <label>
            <span>Owner, such as ada</span>
            <input
              value={owner}
              spellcheck={false}
              onInput={({ currentTarget }) => setOwner(currentTarget.value)}
            />
          </label>
        )}
        <fieldset class="row">
          <legend>May</legend>
          {SCOPES.map((scope) => (
            <label key={scope} class="check">
              <input
                type="checkbox"
                checked={scopes.includes(scope)}
                onChange={({ currentTarget }) =>
                  setScopes(
                    currentTarget.checked ? [...scopes, scope] : scopes.filter((each) => each !== scope),
                  )
                }
              />
              <span>{scope}</span>
            </label>
          ))}
        </fieldset>
        <label>
          <span>Days that it counts</span>
          <select value={days} onChange={({ currentTarget }) => setDays(currentTarget.value)}>
            {DAYS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <button type="submit" class="main" disabled={doing.isBusy || scopes.length === 0}>
          Make
        </button>
      </form>
      <DoingNote doing={doing} />
      {made !== null && <Secret secret={made} />}
    </details>
  );
}
