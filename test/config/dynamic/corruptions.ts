/** One way in which a file can be broken. */
export interface Corruption {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Truncations, flipped bits and more of the sort; those that still validate are for the caller to leave out. */
export function corruptionsOf(good: Buffer): readonly Corruption[] {
  const text = good.toString('utf8');
  const cuts = Array.from({ length: 20 }, (_, index) => Math.floor((good.length * index) / 20));
  const flips = Array.from({ length: 40 }, (_, index) => Math.floor((good.length * (index + 0.5)) / 40));
  const replaced = (name: string, from: string | RegExp, to: string): Corruption => {
    if (text.replace(from, to) === text) throw new Error(`${name} changes nothing`);
    return { name, bytes: Buffer.from(text.replace(from, to)) };
  };
  return [
    ...cuts.map((at) => ({ name: `truncated to ${at} bytes`, bytes: good.subarray(0, at) })),
    ...flips.map((at, index) => ({ name: `bit flipped at byte ${at}`, bytes: flipped(good, at, index % 8) })),
    { name: 'BOM', bytes: Buffer.concat([Buffer.from('\uFEFF'), good]) },
    { name: 'zeroes in the middle', bytes: zeroed(good) },
    { name: 'UTF-16', bytes: Buffer.from(text, 'utf16le') },
    { name: 'twice', bytes: Buffer.concat([good, good]) },
    { name: 'only {}', bytes: Buffer.from('{}') },
    { name: 'only []', bytes: Buffer.from('[]') },
    { name: 'only null', bytes: Buffer.from('null\n') },
    replaced('a newer version', '"schema_version": 1', '"schema_version": 2'),
    replaced('a doubled key', '"enabled": true', '"enabled": false,\n      "enabled": true'),
    replaced('an unknown key', '"command_prefix"', '"comand_prefix"'),
    replaced('a comma too many', /\]\n\}\n$/, '],\n}\n'),
    replaced('a missing name', /"name": "Webhook 1",\n\s*/, ''),
    replaced('another endpoint', '/webhooks/github/', '/webhooks/jira/'),
    replaced('an unknown provider', '"provider": "github"', '"provider": "gitlub"'),
    replaced('a template that does not compile', '{{issue.title}}', '{{#if issue.title}}'),
    replaced('a condition with $where', '"issue.state"', '"$where"'),
    replaced('two webhooks of one name', 'Webhook 2', 'webhook 1'),
    replaced('an empty secret', 'secret-of-1', ''),
    replaced('a time that is none', '2026-01-01T00:00:00.000Z', 'yesterday'),
  ];
}

function flipped(good: Buffer, at: number, bit: number): Buffer {
  const bytes = Buffer.from(good);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  return bytes;
}

function zeroed(good: Buffer): Buffer {
  const middle = Math.floor(good.length / 2);
  return Buffer.from(good).fill(0, middle, middle + 100);
}
