import { expect, test } from 'vitest';
import { hiddenMarker, plainMarker } from '../../src/lib/marker.ts';
import { providerNamed } from '../../src/providers/index.ts';
import { account } from './support.ts';

const ID = 'out-01hzy2m8k4c6v0qe';
const MARKED = { html: hiddenMarker(ID), plain: plainMarker(ID) };

/** A thread in which a stranger copied our mark before us: pages as the APIs answer them, by the author's id. */
const PAGES: Readonly<Record<string, { readonly self: object; readonly page: (author: string) => unknown }>> =
  {
    github: { self: { id: 7 }, page: (by) => [{ id: 1, user: { id: Number(by) }, body: MARKED.html }] },
    gitlab: { self: { id: 7 }, page: (by) => [{ id: 1, author: { id: Number(by) }, body: MARKED.html }] },
    gitea: { self: { id: 7 }, page: (by) => [{ id: 1, user: { id: Number(by) }, body: MARKED.html }] },
    bitbucket: {
      self: { uuid: '7' },
      page: (by) => ({ values: [{ id: 1, user: { uuid: by }, content: { raw: MARKED.plain } }] }),
    },
    jira: {
      self: { accountId: '7' },
      page: (by) => ({ comments: [{ id: '1', author: { accountId: by }, body: MARKED.plain }] }),
    },
    slack: {
      self: { ok: true, user_id: '7' },
      page: (by) => ({
        ok: true,
        messages: [{ ts: '1', user: by, metadata: { event_payload: { mark: MARKED.plain } } }],
      }),
    },
    linear: {
      self: {},
      page: (by) => ({
        data: {
          viewer: { id: '7' },
          issue: { comments: { nodes: [{ id: '1', body: MARKED.plain, user: { id: by } }] } },
        },
      }),
    },
  };

test.each(Object.entries(PAGES))(
  'F6: %s: a post of somebody else with our mark is not ours',
  (name, { self, page }) => {
    const reply = providerNamed(name)?.reply;
    const to = account(name, 'https://api.example.com');
    const answer = (value: unknown) => ({ status: 200, headers: {}, text: JSON.stringify(value) });
    const author = reply?.whoami?.read(answer(self)) ?? null;
    const found = (by: string, as = author) => reply?.readPage?.(to, answer(page(by)), ID, as).id;
    expect(found('7')).toBe('1');
    expect(found('8')).toBeNull();
    // An app's token may not ask who it is: the mark alone has to do.
    if (name !== 'linear') expect(found('8', null)).toBe('1');
  },
);
