/** What to write instead of an unknown word: `Did you mean commands?`, or all known words when none is near. */
export function suggestion(typed: string, known: readonly string[]): string {
  const near = suggest(typed, known);
  if (near !== null) return `Did you mean ${near}?`;
  return known.length === 0 ? 'Remove it.' : `Known here: ${known.join(', ')}.`;
}

/** The known word that a mistyped one most likely meant: at most two edits away; null when none is near. */
export function suggest(typed: string, known: readonly string[]): string | null {
  const same = known.find((word) => bare(word) === bare(typed));
  if (same !== undefined) return same;
  const ranked = known
    .map((word) => ({ word, distance: editDistance(typed.toLowerCase(), word.toLowerCase()) }))
    .filter(({ word, distance }) => distance <= Math.min(2, word.length / 2))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.word ?? null;
}

/** `prompt_template`, `promptTemplate` and `Prompt-Template` are one word. */
function bare(word: string): string {
  return word.toLowerCase().replace(/[_-]/g, '');
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, character] of [...a].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= b.length; column++) {
      const substitute = (row[column - 1] ?? 0) + (b[column - 1] === character ? 0 : 1);
      next.push(Math.min(substitute, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
