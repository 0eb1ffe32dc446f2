import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';

export interface Line {
  readonly label: string;
  /** One for each time; null where nothing is known. */
  readonly values: readonly (number | null)[];
  /** Name of a custom property of the style sheet. */
  readonly color: string;
}

interface PlotProps {
  readonly title: string;
  /** In seconds. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly unit?: string;
  /** Whether values are drawn as bars. */
  readonly isBars?: boolean;
}

const DARK = matchMedia('(prefers-color-scheme: dark)');

/** Values over time. What it shows is in a table, too, for readers who do not see it. */
export function Plot({ title, times, lines, unit = '', isBars = false }: PlotProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [isDark, setDark] = useState(DARK.matches);
  useEffect(() => {
    const update = () => setDark(DARK.matches);
    DARK.addEventListener('change', update);
    return () => DARK.removeEventListener('change', update);
  }, []);
  // `isDark` changes the colours that the style sheet gives.
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const style = getComputedStyle(element);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const axis = { stroke: color('--dim'), grid: { stroke: color('--line'), width: 1 } };
    const bars = uPlot.paths.bars?.({ size: [0.8, 60] });
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: 220,
        scales: { x: { time: true }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
        axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => `${tick}${unit}`) }],
        series: [
          { label: 'time' },
          ...lines.map((line) => ({
            label: line.label,
            stroke: color(line.color),
            width: 2,
            spanGaps: false,
            ...(isBars && bars !== undefined && { paths: bars, fill: color(line.color) }),
          })),
        ],
      },
      [times as number[], ...lines.map(({ values }) => values as (number | null)[])],
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: 220 }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [times, lines, unit, isBars, isDark]);
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <div ref={box} class="plot" aria-hidden="true" />
      <table class="unseen">
        <caption>{title}</caption>
        <tbody>
          {lines.map(({ label, values }) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>
                most {format(Math.max(0, ...values.map((value) => value ?? 0)))}
                {unit}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

function format(value: number): string {
  return value.toLocaleString(undefined, { maximumFractionDigits: 2 });
}
