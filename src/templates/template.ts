import { randomBytes } from 'node:crypto';
import Handlebars from 'handlebars';
import { failure } from '../errors.ts';
import { HARMLESS_ID } from '../labels.ts';
import { BudgetError, createBudget } from '../lib/limits.ts';
import { escapeInvisible } from '../lib/text/escape-invisible.ts';
import { renderedText } from '../types/text.ts';
import type { Template, TemplateContext } from '../types.ts';
import { explainError, findForeign, findOversized, findRefused, type TemplateIssue } from './check.ts';
import { eachHelper, KNOWN_HELPERS, VALUE_HELPERS } from './helpers.ts';
import { fence, MOST_ITEMS, type Print, viewOf } from './view.ts';

type TemplateResult =
  | { readonly ok: true; readonly template: Template }
  | ({ readonly ok: false } & TemplateIssue);

const MAX_OUTPUT = 1_000_000;
const MAX_ITERATIONS = MOST_ITEMS;

/**
 * Compiles a Handlebars template. Payload at the root (`{{issue.title}}`), the rest as `{{@event.title}}`,
 * `{{@sender.name}}`, `{{@argument}}`; blocks `if unless each with`, helpers `json truncate default date lower upper
 * join`. Rendered once with nothing in it, because Handlebars finds most mistakes only then. Rendering throws a
 * HookctlError (`template_too_large`) above 1 MB of output or 10,000 turns of `each`.
 */
export function compileTemplate(source: string): TemplateResult {
  // An object would be taken for a syntax tree, whose fields become code (CVE-2026-33937, CVE-2026-106446).
  if (typeof source !== 'string') return { ok: false, message: 'a template must be a text' };
  const known = compiledBefore.get(source);
  if (known !== undefined) return known;
  const result = compile(source);
  if (compiledBefore.size >= MOST_KEPT) compiledBefore.clear();
  compiledBefore.set(source, result);
  return result;
}

/** Each change of a webhook reads all of them anew, and many share their templates. */
const compiledBefore = new Map<string, TemplateResult>();
const MOST_KEPT = 1_000;

function compile(source: string): TemplateResult {
  const oversized = findOversized(source);
  if (oversized !== null) return { ok: false, ...oversized };
  const foreign = findForeign(source);
  if (foreign !== null) return { ok: false, ...foreign };
  const render = createRenderer(source);
  try {
    const refused = findRefused(Handlebars.parse(source));
    if (refused !== null) return { ok: false, ...refused };
    render(EMPTY, SHOWN);
  } catch (error) {
    return { ok: false, ...explainError(error) };
  }
  const plain = (context: TemplateContext) => render(context, SHOWN);
  const fenced = (context: TemplateContext) => render(context, fencing(context, randomBytes(16)));
  const posted = (context: TemplateContext) =>
    renderedText((printed) => {
      const print: Print = (text) => printed(escapeInvisible(text));
      return render(context, { payload: print, data: print });
    });
  const escaped: Template['escaped'] = (context, toText) =>
    render(context, { payload: toText, data: toText });
  return { ok: true, template: { source, plain, posted, escaped, fenced } };
}

/**
 * What prints texts of the payload, and what prints those of `@event`, `@sender`, `@argument` and `@flow`. Two, because a
 * payload may have a field that is called `@argument`.
 */
interface Printers {
  readonly payload: Print;
  readonly data: Print;
}
type Render = (context: TemplateContext, printers: Printers) => string;

const SHOWN: Printers = { payload: escapeInvisible, data: escapeInvisible };

function createRenderer(source: string): Render {
  const engine = Handlebars.create();
  const options = { knownHelpers: KNOWN_HELPERS, knownHelpersOnly: true, noEscape: true };
  const compiled = engine.compile(source, options);
  return (context, printers) => {
    const output = createBudget(MAX_OUTPUT, `more than ${MAX_OUTPUT / 1e6} MB of output`);
    const iterations = createBudget(MAX_ITERATIONS, `more than ${MAX_ITERATIONS} turns of #each`);
    const counting = (print: Print): Print => {
      return (text, path) => {
        output.spend(text.length);
        return print(text, path);
      };
    };
    try {
      const text = compiled(viewOf(context.event.payload, [], counting(printers.payload)), {
        data: dataView(context, counting(printers.data)),
        helpers: { ...VALUE_HELPERS, each: eachHelper(Handlebars.createFrame, iterations, MAX_OUTPUT) },
        // Said, not left to the default, because Handlebars prints each denial of the default to stderr.
        allowProtoMethodsByDefault: false,
        allowProtoPropertiesByDefault: false,
      });
      output.renew();
      output.spend(text.length);
      return text;
    } catch (error) {
      if (!(error instanceof BudgetError)) throw error;
      throw failure('template_too_large', `The template made ${error.message}.`, {
        cause: error,
        fix: 'Name single fields, and shorten long ones: {{truncate issue.body 2000}}.',
      });
    }
  };
}

const NO_MEMORY = { headSha: null, lastReviewedSha: null, findings: [] };

/** `@event`, `@sender`, `@argument`, `@flow` and `@commands`. What a sender cannot be known to have (null) renders empty. */
function dataView(
  { event, argument, commands = '', flow = NO_MEMORY }: TemplateContext,
  print: Print,
): object {
  const { title, details = null, text, url, type, externalId, sender } = event;
  const { name = null, id = null } = sender ?? {};
  return {
    event: viewOf({ title, details, text, url, type, externalId }, ['@event'], print),
    sender: viewOf({ name, id }, ['@sender'], print),
    argument: viewOf(argument, ['@argument'], print),
    flow: viewOf(flow, ['@flow'], print),
    // The configuration's own words: nothing from outside is in them.
    commands,
  };
}

/** Ids, types and addresses: made by machines, and without a space or a mark nothing that could instruct an agent. */
const IDENTIFIERS = ['@event.url', '@event.type', '@event.externalId', '@sender.id'];
const COMMITS = /^@flow\.(?:headSha|lastReviewedSha|findings\.\d+\.(?:sha|at))$/;

/** What the author of the event's text wrote; a title may be somebody else's. */
const BY_AUTHOR = ['@event.text', '@argument'];

function fencing({ authorOf, event }: TemplateContext, random: Uint8Array): Printers {
  const nonce = Buffer.from(random).toString('hex');
  return {
    payload: (text, path) => {
      const source = path.length === 0 ? 'payload' : path.join('.').replace(/^@/, 'payload.@');
      return fence(text, { source, author: authorOf(path) }, nonce);
    },
    data: (text, path) => {
      const source = path.join('.');
      if ((IDENTIFIERS.includes(source) || COMMITS.test(source)) && HARMLESS_ID.test(text)) return text;
      const writer = BY_AUTHOR.includes(source)
        ? event.author
        : source === '@sender.name'
          ? event.sender
          : null;
      return fence(text, { source, author: writer?.name ?? null }, nonce);
    },
  };
}

const EMPTY: TemplateContext = {
  event: {
    type: '',
    externalId: null,
    sender: null,
    text: null,
    author: null,
    textOrigin: 'created',
    title: null,
    url: null,
    payload: {},
  },
  argument: '',
  authorOf: () => null,
};
