import type { JSX } from 'preact';
import type { ExplanationView } from '../../src/server/dashboard/explanation.ts';
import { visible } from '../kit/parts.tsx';

interface CommandRow {
  readonly command: string;
  readonly verdict: string;
  readonly reason: string;
}

/** Which commands fire, and why the others do not. */
export function CommandTable({ rows }: { readonly rows: readonly CommandRow[] }): JSX.Element {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Command</th>
          <th scope="col">Fires</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ command, verdict, reason }) => (
          <tr key={`${command} ${verdict}`}>
            <td>{visible(command)}</td>
            <td>
              <span class={`state ${verdict === 'no' ? 'plain' : 'good'}`}>{verdict}</span>
            </td>
            <td>{visible(reason)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What a request would do with the present configuration. */
export function Explained({
  explanation: { obstacle, events },
}: {
  readonly explanation: ExplanationView;
}): JSX.Element {
  return (
    <>
      {obstacle !== null && <p class="note warn">Nothing runs: {visible(obstacle)}</p>}
      {events.map(({ type, external_id: about, ignored, variant, in_shadow: inShadow, commands }) => (
        <div key={type}>
          <p class="row">
            <strong>{visible(type)}</strong>
            <span class="dim">{visible(about ?? '')}</span>
            {variant !== null && <span>variant {visible(variant)}</span>}
          </p>
          {inShadow && <p class="note warn">In shadow: what would fire is recorded, and nothing runs.</p>}
          {ignored !== null && <p class="note warn">Nothing runs: {visible(ignored)}</p>}
          <CommandTable
            rows={commands.map(({ command, fires, needs_approval: waits, reason }) => ({
              command,
              verdict: fires ? (waits ? 'fires, waits for approval' : 'fires') : 'no',
              reason,
            }))}
          />
        </div>
      ))}
    </>
  );
}
