import type { FaultMark } from '../plan.ts';
import type { Report } from '../report.ts';
import { seconds } from './words.ts';

/** A moment of the drill that charts mark. */
export interface Moment {
  t: number;
  label: string;
}

/** When each fault was injected, took hold, was healed and was over, in order of time. */
export function momentsOf(report: Report): Moment[] {
  return faultsOf(report)
    .flatMap((fault, i, all) => moments(fault).map(({ t, label }) => ({ t, label: all.length > 1 ? `${letter(i)} ${label}` : label })))
    .sort((a, b) => a.t - b.t);
}

/** The sign of one fault of several: A, B, … Z, 27, … */
export function letter(index: number): string {
  return index < 26 ? String.fromCodePoint(65 + index) : String(index + 1);
}

function moments({ injectMs, tookHoldMs, healMs, recoveredMs }: SeenFault): Moment[] {
  return [{ t: injectMs, label: 'injected' }, { t: tookHoldMs, label: 'took hold' }, { t: healMs, label: 'healed' }, { t: recoveredMs, label: 'recovered' }]
    .filter((moment): moment is Moment => moment.t !== undefined);
}

export type SeenFault = Pick<FaultMark, 'fault' | 'region' | 'tookHoldMs' | 'healMs' | 'recoveredMs'> & { injectMs?: number; target?: string };

/** Every fault of the drill as it went. */
export function faultsOf({ fault, faults }: Report): SeenFault[] {
  if (faults !== undefined && faults.length > 0) return faults;
  const { name, region, injectedMs, tookHoldMs, healedMs, recoveredMs } = fault;
  return [Object.fromEntries(Object.entries({ fault: name, region, injectMs: injectedMs, tookHoldMs, healMs: healedMs, recoveredMs })
    .filter(([, value]) => value !== undefined)) as unknown as SeenFault];
}

/** Room for a row of labels, in pixels of the drawing. */
export const rowHeight = 16;
const characterWidth = 6.8;

export interface Placed extends Moment {
  /** Row of its label: 0 is the lowest. */
  row: number;
  /** Which side of its line the label stands on. */
  side: 'left' | 'right';
  text: string;
}

/** Puts each label into the lowest row where it does not lie on another. `scale` is how many pixels a ms has, `endMs` the right edge. */
export function placed(list: readonly Moment[], scale: number, endMs: number): Placed[] {
  const rows: [number, number][][] = [];
  return list.map(({ t, label }) => {
    const text = `${label} ${seconds(t)}`;
    const width = (text.length * characterWidth + 10) / scale;
    const side = t + width > endMs ? 'left' : 'right';
    const [from, to] = side === 'left' ? [t - width, t] : [t, t + width];
    let row = rows.findIndex((taken) => taken.every(([a, b]) => to <= a || from >= b));
    if (row < 0) row = rows.push([]) - 1;
    rows[row]?.push([from, to]);
    return { t, label, text, side, row };
  });
}

/** The moments as lines through one of a drawing's grids, with their labels above it or without. */
export function verticals(marks: readonly Placed[], labels: boolean): object {
  return {
    silent: true, symbol: 'none', lineStyle: { color: 'var(--mark)', type: 'dashed', width: 1.5 },
    data: marks.map(({ t, text, row, side }) => ({
      xAxis: t,
      label: {
        show: labels, position: 'end', formatter: text, color: 'var(--text)', fontSize: 12, textBorderWidth: 0,
        align: side === 'right' ? 'left' : 'right', verticalAlign: 'bottom', padding: [0, 3, row * rowHeight, 3], distance: 2,
      },
    })),
  };
}

/** The time in which each fault was in effect, as a shade over one of a drawing's grids. */
export function shades(report: Report, endMs: number): object {
  return {
    silent: true, itemStyle: { color: 'var(--shade)' },
    data: faultsOf(report).filter(({ injectMs }) => injectMs !== undefined).map(({ injectMs, healMs = endMs }) => [{ xAxis: injectMs }, { xAxis: healMs }]),
  };
}
