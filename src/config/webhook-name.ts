/**
 * Why a text may be no webhook's name; null when it may. Names are typed in command lines, printed in tables, used as
 * keys, and for static webhooks as file names, and two of them must not look alike.
 */
export function nameProblem(name: string): string | null {
  if (/^[-.]/.test(name)) {
    return name.startsWith('-')
      ? 'a name may not begin with -, which begins an option'
      : 'a name may not begin with a dot, which names a folder or a hidden file';
  }
  if (/[/\\]/.test(name)) return 'a name may not hold / or \\, which lead to other folders';
  if (name in Object.prototype || name === 'prototype') {
    return `${name} is refused: every JavaScript object has a field of that name`;
  }
  if (/^wh-/i.test(name)) return 'a name may not begin with wh-, which ids begin with';
  const composed = name.normalize('NFKC');
  if (composed !== name || INVISIBLE.test(name)) {
    return `the name holds characters that look like others; write ${JSON.stringify(visiblePart(composed))}`;
  }
  const scripts = SCRIPTS.filter(([, pattern]) => pattern.test(name)).map(([script]) => script);
  if (scripts.length > 1) {
    return `the name mixes ${scripts.join(' and ')} letters, which look alike; use those of one script`;
  }
  return null;
}

/** Drawn as nothing, or as a blank, although they are letters or marks. */
const INVISIBLE = /\u115F|\u1160|\u17B4|\u17B5|\u3164|\uFFA0|\u034F/u;

function visiblePart(name: string): string {
  return name.replaceAll(new RegExp(INVISIBLE, 'gu'), '');
}

/** Scripts with letters that are drawn like each other's (Unicode Technical Standard 39, confusables). */
const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['Latin', /\p{Script=Latin}/u],
  ['Cyrillic', /\p{Script=Cyrillic}/u],
  ['Greek', /\p{Script=Greek}/u],
  ['Armenian', /\p{Script=Armenian}/u],
  ['Cherokee', /\p{Script=Cherokee}/u],
  ['Coptic', /\p{Script=Coptic}/u],
];

/** What decides where a webhook answers. */
interface Named {
  readonly name: string;
  readonly endpoint?: string | undefined;
}

/** The path that a definition answers on: its own, or the one of its name. */
export function endpointOf({ name, endpoint }: Named): string {
  return endpoint ?? `/webhooks/${name}`;
}

/** Whether a project's own webhook replaces a built-in one: by its name or its endpoint. */
export function replaces(own: Named, builtIn: Named): boolean {
  return own.name === builtIn.name || endpointOf(own) === endpointOf(builtIn);
}
