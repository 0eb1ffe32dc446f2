import { describe, expect, test } from 'vitest';
import { checkSender } from '../../src/deliveries/rules/senders.ts';
import type { Sender, SenderRule } from '../../src/types.ts';

/**
 * Who may command, as one table: each row is a combination of who acts, how, and who is listed; the last column is the
 * decision. Everything that is not named in a row is varied, and must not matter.
 */
const RULE: SenderRule = {
  associations: ['OWNER', 'MEMBER', 'COLLABORATOR'],
  users: ['4711'],
  apps: ['29310'],
};
const NOBODY: SenderRule = { associations: [], users: [], apps: [] };
const TRUSTED = ['OWNER', 'MEMBER', 'COLLABORATOR'];
const STRANGERS = ['CONTRIBUTOR', 'FIRST_TIME_CONTRIBUTOR', 'FIRST_TIMER', 'MANNEQUIN', 'NONE', null];
const NAMES = ['ada', 'ada[bot]', '4711', 'OWNER', 'github-actions[bot]', 'system'];

interface Row {
  readonly who: string;
  readonly rule: SenderRule;
  readonly senders: readonly Omit<Sender, 'name'>[];
  readonly allowed: boolean;
}

const person = (fields: Partial<Sender>) =>
  ({ id: '1', kind: 'person', association: null, appId: null, ...fields }) as const;
const everyone = [...TRUSTED, ...STRANGERS];

const TABLE: readonly Row[] = [
  {
    who: 'a person of a trusted association',
    rule: RULE,
    allowed: true,
    senders: TRUSTED.map((association) => person({ association })),
  },
  {
    who: 'a person of any other association',
    rule: RULE,
    allowed: false,
    senders: STRANGERS.map((association) => person({ association })),
  },
  {
    who: 'a listed person, whatever the association',
    rule: RULE,
    allowed: true,
    senders: everyone.map((association) => person({ association, id: '4711' })),
  },
  {
    who: 'a bot, whatever it is called and listed as a user',
    rule: RULE,
    allowed: false,
    senders: everyone.flatMap((association) =>
      ['1', '4711'].map((id) => person({ kind: 'bot', association, id })),
    ),
  },
  {
    who: 'a bot of an app that is not listed',
    rule: RULE,
    allowed: false,
    senders: everyone.map((association) => person({ kind: 'bot', association, appId: '7' })),
  },
  {
    who: 'a bot of a listed app',
    rule: RULE,
    allowed: true,
    senders: everyone.map((association) => person({ kind: 'bot', association, appId: '29310' })),
  },
  {
    who: 'a person through an app that is not listed',
    rule: RULE,
    allowed: false,
    senders: everyone.map((association) => person({ association, appId: '7', id: '4711' })),
  },
  {
    who: 'a trusted person through a listed app',
    rule: RULE,
    allowed: true,
    senders: TRUSTED.map((association) => person({ association, appId: '29310' })),
  },
  {
    who: 'a stranger through a listed app',
    rule: RULE,
    allowed: false,
    senders: STRANGERS.map((association) => person({ association, appId: '29310' })),
  },
  {
    who: 'what is no person',
    rule: NOBODY,
    allowed: true,
    senders: everyone.map((association) => person({ kind: 'system', association })),
  },
  {
    who: 'anybody, where nobody is listed',
    rule: NOBODY,
    allowed: false,
    senders: everyone.flatMap((association) =>
      (['person', 'bot'] as const).map((kind) =>
        person({ kind, association, id: '4711', appId: kind === 'bot' ? '29310' : null }),
      ),
    ),
  },
];

describe('the sender table', () => {
  test.each(TABLE)('$who: $allowed', ({ rule, senders, allowed }) => {
    for (const sender of senders) {
      for (const name of NAMES)
        expect(checkSender(rule, { ...sender, name }).allowed, JSON.stringify({ ...sender, name })).toBe(
          allowed,
        );
    }
  });
});
