import { event } from '../providers/kit/event.ts';
import type { Ack, OwnAnswer, Parsed, Template, Trust } from '../types.ts';

/**
 * The answer that a webhook's settings give to what was accepted; null for the usual one. Values of the payload are put in only for
 * a sender that was verified, escaped for the content type. Called once the delivery is on disk.
 */
export async function ownAnswer(answer: OwnAnswer, parsed: Parsed, trust: Trust): Promise<Ack | null> {
  if (!parsed.ok) return null;
  const { status, headers, body } = answer;
  // A page of the sender's words would run in the browser of whom it is shown to.
  const safe = { ...headers, 'x-content-type-options': 'nosniff' };
  if (!body.includes('{{')) return { status, headers: safe, body };
  if (trust !== 'verified') return null;
  const template = await compiled(answer);
  const [first = event({}, { type: 'none' })] = parsed.events;
  const toText = escapeFor(headers['content-type'] ?? '');
  try {
    const context = { event: first, argument: '', authorOf: () => null };
    return { status, headers: safe, body: template.escaped(context, toText) };
  } catch {
    // It grew too large: the delivery is stored, and the sender hears so.
    return null;
  }
}

const templates = new WeakMap<OwnAnswer, Promise<Template>>();

/** Compiled when it is first rendered. */
function compiled(answer: OwnAnswer): Promise<Template> {
  const known = templates.get(answer);
  if (known !== undefined) return known;
  const made = import('../templates/template.ts').then(({ compileTemplate }) => {
    const result = compileTemplate(answer.body);
    if (!result.ok) throw new Error(result.message);
    return result.template;
  });
  templates.set(answer, made);
  return made;
}

function escapeFor(type: string): (text: string) => string {
  if (/\bjson\b/i.test(type)) return (text) => JSON.stringify(text).slice(1, -1);
  if (/\b(?:xml|html)\b/i.test(type)) return escapeMarkup;
  return (text) => text;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Without characters that XML 1.0 does not have. */
function escapeMarkup(text: string): string {
  return text
    .replace(/[\p{Cc}\uFFFE\uFFFF]/gu, (sign) => (/[\t\n\r]/.test(sign) ? sign : ''))
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}
