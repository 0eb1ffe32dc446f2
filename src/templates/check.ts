import Handlebars from 'handlebars';
import { suggestion } from '../lib/suggest.ts';
import { ARITY, BLOCK_HELPERS } from './helpers.ts';

/** Something in a template that another language writes so; `index` is where it begins in the source. */
interface Habit {
  readonly index: number;
  readonly message: string;
}

interface Rule {
  readonly pattern: RegExp;
  /** What to write instead. `match` is the pattern's, `tag` the whole expression without its braces. */
  readonly advice: (match: RegExpExecArray, tag: string) => string;
}

const PATH = /@?[A-Za-z_$][\w$@.?[\]'"/-]*/.source;
const HELPERS = 'helpers are json, truncate, default, date, lower, upper and join';

/** The first rule that fits names the mistake, so `?.` comes before `?`, and `||` before `|`. */
const RULES: readonly Rule[] = [
  {
    pattern: new RegExp(`(${PATH})\\s*(?:\\|\\||\\?\\?)\\s*([^\\s)]*)`),
    advice: ([, path = '', other = '']) => `write default ${plain(path)} ${fallback(other)}`,
  },
  {
    pattern: /@?[\w.]+\?\.?[\w.?[\]'"-]*/,
    advice: ([path], tag) =>
      /\?\s/.test(tag) && tag.includes(':')
        ? `write {{#if ${plain(path)}}}…{{else}}…{{/if}}`
        : `write ${plain(path)}: missing values render empty`,
  },
  { pattern: /&&/, advice: () => 'write one block inside the other: {{#if a}}{{#if b}}…{{/if}}{{/if}}' },
  {
    pattern: /[=!]==?|\s[<>]=?\s/,
    advice: () => 'templates compare nothing; write it as a condition of the command',
  },
  {
    pattern: new RegExp(`(${PATH})\\s+\\?\\s`),
    advice: ([, path = '']) => `write {{#if ${plain(path)}}}…{{else}}…{{/if}}`,
  },
  { pattern: /(?:^|[\s(])!(@?[\w.]+)/, advice: ([, path]) => `write {{#unless ${path}}}…{{/unless}}` },
  {
    pattern: /\w\(/,
    advice: () => `templates call nothing by parentheses; ${HELPERS}: {{upper issue.title}}`,
  },
  {
    pattern: /@?[A-Za-z_][\w.]*\[[^\]]*\][\w.[\]'"]*/,
    advice: ([path]) => `write ${plain(path)}`,
  },
  {
    pattern: new RegExp(`(${PATH})\\s*\\|\\s*(\\w+)`),
    advice: ([, path = '', name = '']) => `write the helper first: ${name} ${plain(path)}; ${HELPERS}`,
  },
  { pattern: /\s\+\s|\s\+$/, advice: () => 'write one expression beside the other: {{a}}{{b}}' },
  { pattern: /^(\.[A-Za-z_][\w.]*)$/, advice: ([, path = '']) => `write ${path.slice(1)}` },
  {
    pattern: /@?[A-Za-z_][\w.]*!(?=$|[\s.)])[\w.!]*/,
    advice: ([path]) => `write ${path.replaceAll('!', '')}`,
  },
];

/**
 * Finds the first expression of JavaScript or of another template language: Handlebars takes some for names that no
 * payload has (and renders nothing), and says of others only that it cannot read them. Null when there is none.
 */
function findHabit(source: string): Habit | null {
  for (const match of source.matchAll(
    /(\\?)\{\{\{?([^{}]*(?:\}(?!\})[^{}]*)*)\}\}|\$\{\s*(@?[A-Za-z_]\w*\??\.[^{}]*?)\s*\}/g,
  )) {
    const [all, backslash, inner, placeholder] = match;
    if (backslash === '\\') continue;
    const advice = placeholder === undefined ? adviceFor(inner ?? '') : `write {{${plain(placeholder)}}}`;
    if (advice === null) continue;
    const seen = placeholder === undefined ? (inner ?? '').trim() : all;
    return { index: match.index, message: `${shortened(seen)} cannot be read; ${advice}` };
  }
  return null;
}

/** Longer expressions are not looked at: the rules take time that grows with the square of the length. */
const MAX_EXPRESSION = 1_000;

function adviceFor(inner: string): string | null {
  if (inner.length > MAX_EXPRESSION) return null;
  const tag = inner.replace(/^~|~$/g, '').trim();
  // A comment; one that holds nothing but a path was meant as a negation.
  if (tag.startsWith('!')) {
    return /^!@?\w+(?:\.\w+)+$/.test(tag) ? `write {{#unless ${tag.slice(1)}}}…{{/unless}}` : null;
  }
  const code = withoutTexts(tag.replace(/^[#^/&>]\s*/, ''));
  for (const { pattern, advice } of RULES) {
    const match = pattern.exec(code);
    if (match !== null) return advice(match, code);
  }
  return null;
}

/** Texts, block parameters and `.[a name]` are Handlebars' own. Brackets keep what they hold. */
function withoutTexts(tag: string): string {
  return tag
    .replace(/\sas\s*\|[^|]*\|\s*$/, '')
    .replace(/(^|[^?])\.\[[^\]]*\]/g, '$1.x')
    .replace(/(\[\s*)?(["'])(?:(?!\2).)*\2/g, (text, bracket) => (bracket === undefined ? '""' : text));
}

/** A path of another language as a path here: `issue?.labels[0]['name']` → `issue.labels.0.name`. */
function plain(path: string): string {
  return path
    .replace(/\?/g, '')
    .replace(/\[\s*(["']?)([^\]"']*)\1\s*\]/g, '.$2')
    .replace(/\.{2,}/g, '.')
    .replace(/^\.|\.$/g, '');
}

function fallback(other: string): string {
  return other === '' || other.startsWith('"') ? '"…"' : plain(other);
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** The first mistake of a template, 1-based. */
export interface TemplateIssue {
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

const NO_PARTIALS = 'partials are not supported; write the text here';
const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'prototype'];

const MAX_SOURCE = 65_536;
const MAX_NESTING = 30;

/**
 * What has to be refused before Handlebars parses: its time grows with the square of the nesting and worse (20,000
 * nested blocks take minutes); null when there is nothing.
 */
export function findOversized(source: string): TemplateIssue | null {
  if (source.length > MAX_SOURCE) return { message: `longer than ${MAX_SOURCE} characters` };
  let depth = 0;
  for (const [tag, kind] of source.matchAll(/\{\{~?([#/]|\^(?!~?\}\}))?[^}]*/g)) {
    if (kind !== undefined) depth += kind === '/' ? -1 : 1;
    if (depth > MAX_NESTING || tag.split('(').length > MAX_NESTING) {
      return { message: `nested deeper than ${MAX_NESTING} levels` };
    }
  }
  return null;
}

/** An expression of another language, with its place; null when there is none. */
export function findForeign(source: string): TemplateIssue | null {
  const habit = findHabit(source);
  if (habit === null) return null;
  const before = source.slice(0, habit.index).split('\n');
  return { message: habit.message, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** What Handlebars accepts and hookctl does not; null when there is nothing. Only the tree is read. */
export function findRefused(program: hbs.AST.Program): TemplateIssue | null {
  const visitor = new RefusalVisitor();
  visitor.accept(program);
  return visitor.mistake;
}

/** The names behind `@`, with their fields; those of `root` are the payload's. */
const DATA_FIELDS: Readonly<Record<string, readonly string[]>> = {
  event: ['title', 'details', 'text', 'url', 'type', 'externalId'],
  sender: ['name', 'id'],
  argument: [],
  flow: ['headSha', 'lastReviewedSha', 'findings'],
  commands: [],
  root: [],
  index: [],
  key: [],
  first: [],
  last: [],
};
const LEAVES = ['argument', 'commands', 'index', 'key', 'first', 'last'];

/** Visits the tree in the order of the text and keeps the first mistake. */
class RefusalVisitor extends Handlebars.Visitor {
  mistake: TemplateIssue | null = null;

  override MustacheStatement(node: hbs.AST.MustacheStatement): void {
    const name = nameOf(node.path);
    const isCall = node.params.length > 0 || node.hash !== undefined;
    if (name === null) this.refuse(node, 'expected a path such as issue.title');
    else if (BLOCK_HELPERS.includes(name))
      this.refuse(node, `${name} is a block: {{#${name} …}}…{{/${name}}}`);
    else if (isCall || Object.hasOwn(ARITY, name)) this.checkCall(node, name);
    super.MustacheStatement(node);
  }

  override SubExpression(node: hbs.AST.SubExpression): void {
    this.checkCall(node, nameOf(node.path) ?? node.path.original);
    super.SubExpression(node);
  }

  override BlockStatement(node: hbs.AST.BlockStatement): void {
    const name = nameOf(node.path) ?? '';
    if (!BLOCK_HELPERS.includes(name)) {
      this.refuse(
        node,
        `{{#${name}}} is no block; ${BLOCK_HELPERS.map((block) => `#${block}`).join(', ')} are`,
      );
    } else if (node.params.length !== 1) this.refuse(node, `#${name} takes exactly one value`);
    super.BlockStatement(node);
  }

  override PathExpression(node: hbs.AST.PathExpression): void {
    const bad = node.parts.find((part) => PROTOTYPE_NAMES.includes(part));
    if (bad !== undefined) this.refuse(node, `"${bad}" is refused: it leads to a prototype`);
    else if (node.data) this.checkData(node);
  }

  override PartialStatement(node: hbs.AST.PartialStatement): void {
    this.refuse(node, NO_PARTIALS);
  }

  override PartialBlockStatement(node: hbs.AST.PartialBlockStatement): void {
    this.refuse(node, NO_PARTIALS);
  }

  override Decorator(node: hbs.AST.Decorator): void {
    this.refuse(node, NO_PARTIALS);
  }

  override DecoratorBlock(node: hbs.AST.DecoratorBlock): void {
    this.refuse(node, NO_PARTIALS);
  }

  /** `@event` and its likes have fixed fields: another name would render nothing. */
  private checkData(node: hbs.AST.PathExpression): void {
    const [root = '', field] = node.parts;
    const fields = Object.hasOwn(DATA_FIELDS, root) ? DATA_FIELDS[root] : undefined;
    if (fields === undefined) {
      const known = Object.keys(DATA_FIELDS).map((name) => `@${name}`);
      this.refuse(node, `there is no @${root}. ${suggestion(`@${root}`, known)}`);
    } else if (field !== undefined && fields.length > 0 && !fields.includes(field)) {
      this.refuse(node, `@${root} has no ${field}. ${suggestion(field, fields)}`);
    } else if (field !== undefined && LEAVES.includes(root)) {
      this.refuse(node, `@${root} has no fields`);
    }
  }

  private checkCall(node: hbs.AST.MustacheStatement | hbs.AST.SubExpression, name: string): void {
    const arity = Object.hasOwn(ARITY, name) ? ARITY[name] : undefined;
    const given = node.params.length;
    if (arity === undefined)
      this.refuse(node, `unknown helper ${name}. ${suggestion(name, Object.keys(ARITY))}`);
    else if (given === 0) this.refuse(node, `${name} needs a value; a field is {{this.${name}}}`);
    else if (given < arity[0] || given > arity[1]) {
      this.refuse(node, `${name} takes ${[...new Set(arity)].join(' or ')} values, not ${given}`);
    }
    if (node.hash !== undefined) this.refuse(node, `${name} takes no named values`);
  }

  private refuse(node: hbs.AST.Node, message: string): void {
    const { line, column } = node.loc.start;
    this.mistake ??= { message, line, column: column + 1 };
  }
}

/** The path as one word; null for a literal, which names nothing. */
function nameOf(path: hbs.AST.Expression): string | null {
  return path.type === 'PathExpression' ? (path as hbs.AST.PathExpression).original : null;
}

/** Handlebars' own errors in one line: its parser draws a picture and lists its grammar's tokens. */
export function explainError(error: unknown): TemplateIssue {
  const message = error instanceof Error ? error.message : String(error);
  const [first = '', excerpt = ''] = message.split('\n');
  const line = /^(?:Parse|Lexical) error on line (\d+)/.exec(first)?.[1];
  if (line !== undefined) {
    const open = message.includes("got 'EOF'");
    const text = open ? 'a block or {{ is not closed' : `cannot be read near ${excerpt}`;
    return { message: text, line: Number(line) };
  }
  const position = / - (\d+):(\d+)$/.exec(first);
  if (position === null) return { message: first };
  const [all, at, column] = position;
  return { message: first.slice(0, -all.length), line: Number(at), column: Number(column) + 1 };
}

/**
 * The payload paths that a template names at its root, without those inside `each` and `with` (whose root is another)
 * and without those that the template asks about first: `{{#if a}}{{a}}{{/if}}` expects that `a` may be missing.
 */
export function payloadPaths(source: string): readonly (readonly string[])[] {
  try {
    const visitor = new PathVisitor();
    visitor.accept(Handlebars.parse(source));
    const { asked } = visitor;
    return visitor.found.filter(
      (path) => !asked.some((prefix) => prefix.every((part, at) => path[at] === part)),
    );
  } catch {
    return [];
  }
}

class PathVisitor extends Handlebars.Visitor {
  readonly found: (readonly string[])[] = [];
  readonly asked: (readonly string[])[] = [];

  override BlockStatement(node: hbs.AST.BlockStatement): void {
    const name = (node.path as hbs.AST.PathExpression).original;
    const [param] = node.params;
    if (name === 'if' || name === 'unless') {
      if (param?.type === 'PathExpression') this.asked.push((param as hbs.AST.PathExpression).parts);
      for (const part of [param, node.program, node.inverse]) if (part != null) this.accept(part);
    } else if (param !== undefined) this.accept(param);
  }

  override MustacheStatement(node: hbs.AST.MustacheStatement): void {
    const { path, params } = node;
    if (params.length === 0) this.accept(path);
    // The second value is the default for a missing first one.
    else if ((path as hbs.AST.PathExpression).original !== 'default')
      for (const param of params) this.accept(param);
  }

  override PathExpression({ data, depth, parts, original }: hbs.AST.PathExpression): void {
    const isOwn = !data && depth === 0 && parts.length > 0 && !/^(?:this|\.)/.test(original);
    if (isOwn) this.found.push(parts);
  }
}
