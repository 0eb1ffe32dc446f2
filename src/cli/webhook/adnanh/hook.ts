import { compileConditions } from '../../../conditions/conditions.ts';
import { isSecretHeader } from '../../../lib/http/headers.ts';
import type { JsonObject } from '../../../types.ts';
import { type Argument, type Hook, type Match, type Rule, variableOf } from './hooks-file.ts';
import { conditionsOf, isSignature, NotExpressible, type Paths, placeOf } from './rule.ts';

/** What became of one hook. */
export interface Converted {
  readonly id: string;
  /** As `webhook import` takes it; null when the hook was left out. */
  readonly webhook: JsonObject | null;
  /** Why it was left out, or is disabled; what else is different. */
  readonly notes: readonly string[];
}

/** How requests of a hook are proved, and what is left of its rule. */
interface Proof {
  readonly options: JsonObject;
  readonly secrets: readonly JsonObject[];
  readonly rest: Rule | undefined;
  readonly notes: readonly string[];
}

/**
 * A hook as a webhook of `generic` with the action `run`. A rule that cannot be written here leaves the hook out: a looser one would
 * run more. What its program got and does not get here makes it disabled, until the program reads standard input.
 */
export function convertHook(hook: Hook): Converted {
  try {
    const paths = { formField: formFieldOf(hook) };
    const { options, secrets, rest, notes } = proofOf(hook['trigger-rule'], paths);
    const conditions = rest === undefined ? {} : conditionsOf(rest, paths);
    const compiled = compileConditions(conditions);
    if (!compiled.ok)
      throw new NotExpressible(
        compiled.problems.map(({ path, message }) => `${path}: ${message}`).join('; '),
      );
    const missing = missingValues(hook);
    const webhook: JsonObject = {
      name: hook.id.replaceAll('/', '-'),
      provider: 'generic',
      enabled: missing.length === 0,
      secrets: [...secrets],
      options: { ...options, ...received(hook, paths, options), ...answered(hook) },
      commands: [
        {
          trigger: '*',
          action: 'run',
          ...(Object.keys(conditions).length > 0 && { conditions }),
          options: programOf(hook),
        },
      ],
    };
    return { id: hook.id, webhook, notes: [...missing, ...notes, ...differences(hook)] };
  } catch (error) {
    if (!(error instanceof NotExpressible)) throw error;
    return { id: hook.id, webhook: null, notes: [error.message] };
  }
}

/** The conditions that all have to hold. */
function conjunctsOf(rule: Rule | undefined): readonly Rule[] {
  if (rule === undefined) return [];
  return rule.and === undefined ? [rule] : rule.and.flatMap(conjunctsOf);
}

function proofOf(rule: Rule | undefined, paths: Paths): Proof {
  const parts = conjunctsOf(rule);
  const without = (used: Rule): Rule | undefined => {
    const rest = parts.filter((part) => part !== used);
    return rest.length === 0
      ? undefined
      : rest.length === 1 && rule?.and === undefined
        ? rest[0]
        : { and: rest };
  };
  const signed = parts.filter((part) => signaturesOf(part).length > 0);
  const [first, second] = signed;
  if (second !== undefined) throw new NotExpressible('two signatures that both have to fit');
  if (first !== undefined) {
    const notes =
      first.or === undefined ? [] : ['any of its secrets verifies, as under trigger-signature-soft-failures'];
    return { ...signatureProof(signaturesOf(first), paths), rest: without(first), notes };
  }
  for (const part of parts) {
    const token = part.match === undefined ? null : tokenProof(part.match, paths);
    if (token !== null) return { ...token, rest: without(part), notes: [] };
  }
  return {
    options: { scheme: 'token' },
    secrets: [],
    rest: rule,
    notes: [
      'it asked for no secret: import makes one, and the sender has to send it as Authorization: Bearer <secret> (elsewhere: --option header=… or signature=query:token)',
    ],
  };
}

/** Signatures of which one has to fit: one, or an `or` of nothing else. */
function signaturesOf({ match, or }: Rule): readonly Match[] {
  if (match !== undefined) return isSignature(match.type) ? [match] : [];
  const found = (or ?? []).flatMap(signaturesOf);
  return found.length === or?.length ? found : [];
}

function signatureProof(matches: readonly Match[], paths: Paths): Pick<Proof, 'options' | 'secrets'> {
  const [form, another] = new Set(
    matches.map(({ type, parameter }) => JSON.stringify(signatureOptions(type, parameter, paths))),
  );
  if (another !== undefined) throw new NotExpressible('signatures of several kinds under one `or`');
  return { options: JSON.parse(form ?? '{}'), secrets: matches.map(({ secret }) => secretOf(secret)) };
}

function signatureOptions(type: string, parameter: Argument | undefined, paths: Paths): JsonObject {
  if (parameter === undefined) throw new NotExpressible(`the match of type ${type} has no parameter`);
  const algorithm = type.replace(/^payload-(hmac|hash)-/, '');
  const { name, source } = parameter;
  if (source !== 'header')
    return { algorithm, signature: placeOf(parameter, paths), prefix: '', separator: ',' };
  // GitHub and those that do as it does write the name of the hash before the digits; others the digits alone.
  const prefix = /^x-hub-signature/i.test(name) ? `${algorithm}=` : '';
  return { algorithm, header: name.toLowerCase(), prefix, separator: ',' };
}

const NAMES_SECRET = /token|secret|passw|api_?key|^key$/i;

/** A value that is a secret by the name of its place. */
function tokenProof(
  { type, value, parameter }: Match,
  paths: Paths,
): Pick<Proof, 'options' | 'secrets'> | null {
  if (type !== 'value' || parameter === undefined || value === '') return null;
  const header = parameter.source === 'header' ? parameter.name.toLowerCase() : null;
  if (header === null) {
    if (!['url', 'query', 'payload'].includes(parameter.source) || !NAMES_SECRET.test(parameter.name))
      return null;
    return {
      options: { scheme: 'token', signature: placeOf(parameter, paths) },
      secrets: [secretOf(value)],
    };
  }
  if (!isSecretHeader(header)) return null;
  const [, user, password] = /^Basic (.+)$/.test(value)
    ? (/^([^:]*):(.*)$/s.exec(Buffer.from(value.slice(6), 'base64').toString()) ?? [])
    : [];
  if (header === 'authorization' && user !== undefined && password !== undefined)
    return { options: { scheme: 'basic', user }, secrets: [secretOf(password)] };
  const [prefix = ''] = /^(?:Bearer|Token) /i.exec(value) ?? [];
  return { options: { scheme: 'token', header, prefix }, secrets: [secretOf(value.slice(prefix.length))] };
}

function secretOf(text: string): JsonObject {
  const env = variableOf(text);
  return env === null ? { value: text } : { env };
}

function formFieldOf({ 'parse-parameters-as-json': fields }: Hook): string | null {
  const [first, second] = fields;
  if (first === undefined) return null;
  if (second !== undefined || first.source !== 'payload')
    throw new NotExpressible(
      'parse-parameters-as-json: here one field of the body can hold the event as JSON',
    );
  return first.name;
}

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'GET'];
const BODIES: readonly (readonly [RegExp, string])[] = [
  [/json/, 'json'],
  [/x-www-form-urlencoded/, 'form'],
  [/multipart/, 'multipart'],
  [/xml/, 'xml'],
  [/^text\//, 'text'],
];

/** Settings of what comes in. A list at the top is one event, as it ran the program once. */
function received(hook: Hook, { formField }: Paths, { signature }: JsonObject): JsonObject {
  const methods = hook['http-methods'].map((method) => method.trim().toUpperCase());
  const takesGet = methods.length === 0 && String(signature).startsWith('query:');
  const [, body] = BODIES.find(([type]) => type.test(hook['incoming-payload-content-type'])) ?? [];
  const known = methods.filter((method) => METHODS.includes(method));
  return {
    events: 'one',
    ...(known.length > 0 && { methods: known }),
    ...(takesGet && { methods: ['POST', 'GET'] }),
    ...(formField !== null && { formField }),
    ...(body !== undefined && { body }),
  };
}

function answered(hook: Hook): JsonObject {
  const status = hook['success-http-response-code'];
  const message = hook['response-message'];
  const headers = hook['response-headers'].map(({ name, value }) => [name, value] as const);
  const type = headers.find(([name]) => /^content-type$/i.test(name))?.[1];
  const others = headers.filter(([name]) => !/^content-type$/i.test(name));
  return {
    ...(status >= 200 && status <= 299 && { answerStatus: status }),
    // A message of adnanh/webhook is text; here it is a template.
    ...(message !== '' && { answerBody: message.replaceAll('{{', '\\{{') }),
    ...(message !== '' && type !== undefined && { answerType: type }),
    ...(others.length > 0 && { answerHeaders: Object.fromEntries(others) }),
  };
}

const isFixed = ({ source }: Argument) => source === 'string';

/** The program with its fixed arguments; fixed variables are set by `env`. */
function programOf(hook: Hook): JsonObject {
  const args = hook['pass-arguments-to-command'].filter(isFixed).map(({ name }) => name);
  const variables = hook['pass-environment-to-command']
    .filter(isFixed)
    .map(({ name, envname }) => `${envname ?? `HOOK_${name}`}=${name}`);
  const [program = '', ...before] =
    variables.length > 0 ? ['env', ...variables, hook['execute-command']] : [hook['execute-command']];
  const cwd = hook['command-working-directory'];
  return {
    program,
    ...(before.length + args.length > 0 && { args: [...before, ...args] }),
    ...(cwd !== '' && { cwd }),
    timeout: '15m',
  };
}

/** What the program got from the request as arguments, variables or files, and has to read from standard input here. */
function missingValues(hook: Hook): readonly string[] {
  const told = ([kind, list]: readonly [string, readonly Argument[]]) =>
    list
      .filter((each) => !isFixed(each))
      .map((each) => `disabled: its program gets no ${kind} ${wordsOf(each)}; ${insteadOf(each)}`);
  return (
    [
      ['argument', hook['pass-arguments-to-command']],
      ['variable', hook['pass-environment-to-command']],
      ['file', hook['pass-file-to-command']],
    ] as const
  ).flatMap(told);
}

function wordsOf({ source, name }: Argument): string {
  return name === '' ? source : `${source} ${name}`;
}

function insteadOf({ source, name }: Argument): string {
  if (source === 'payload') return `it is .${name} of the JSON on its standard input`;
  return source === 'raw-request-body' || source === 'entire-payload'
    ? 'the payload is JSON on its standard input'
    : 'a condition can ask for it, a program does not see it';
}

/** Properties that have a meaning here, or make no difference. */
const KNOWN = [
  ...['id', 'execute-command', 'command-working-directory', 'response-message', 'response-headers'],
  ...['success-http-response-code', 'incoming-payload-content-type', 'http-methods', 'trigger-rule'],
  ...['parse-parameters-as-json', 'pass-arguments-to-command', 'pass-environment-to-command'],
  ...['pass-file-to-command', 'trigger-signature-soft-failures'],
];

const DIFFERENT: Readonly<Record<string, string>> = {
  'include-command-output-in-response': 'the sender gets no output: its program runs after the answer',
  'include-command-output-in-response-on-error':
    'a failing program changes no answer: hookctl delivery list --status failed',
  'trigger-rule-mismatch-http-response-code':
    'a rule that does not hold is answered as one that does: the delivery is stored',
};

function differences(hook: Hook): readonly string[] {
  const status = hook['success-http-response-code'];
  const type = hook['response-headers'].some(({ name }) => /^content-type$/i.test(name));
  const methods = hook['http-methods'].filter((method) => !METHODS.includes(method.trim().toUpperCase()));
  const rule = JSON.stringify(hook['trigger-rule'] ?? {});
  const other = Object.keys(hook).filter((key) => !KNOWN.includes(key) && hook[key] !== false);
  return [
    ...(status >= 200 && status <= 299
      ? []
      : [`a status ${status} cannot be the answer to what was accepted; it is 202`]),
    ...(type && hook['response-message'] === ''
      ? ['its Content-Type is not sent: the answer has no body']
      : []),
    ...methods.map((method) => `the method ${method.trim()} is not taken`),
    ...(rule.includes('"ip-whitelist"')
      ? [
          'behind a tunnel or proxy its addresses count only when ingress.trustedProxy names that in webhooks.yml',
        ]
      : []),
    ...(/"type":"regex"(?:(?!"match").)*"source":"payload"/.test(rule)
      ? ['a regex looks at texts; numbers and booleans of the payload do not match it here']
      : []),
    ...(hook.id.includes('/') ? ['a name holds no /: it has - in its place'] : []),
    ...other.map((key) => DIFFERENT[key] ?? `${key} is not known`),
  ];
}
