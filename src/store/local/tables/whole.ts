/**
 * A number for a column of whole numbers, which SQLite's strict tables refuse with a fraction: clocks and agents' own
 * figures have some.
 */
export function whole<Given extends number | null>(value: Given): Given {
  return (value === null ? null : Math.ceil(value)) as Given;
}
