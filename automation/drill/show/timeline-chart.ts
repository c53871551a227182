import { axis, draw, legend, legendHeight, lineIcon, regionStyle, unknownDecal } from './draw.ts';
import type { Markup } from './markup.ts';
import type { Report } from '../report.ts';
import { momentsOf, placed, rowHeight, shades, verticals } from './moments.ts';
import type { Placed } from './moments.ts';
import type { Slot, Slots } from './slots.ts';
import { ms, plural, seconds } from './words.ts';

const left = 64;
const right = 24;
const plotWidth = 960 - left - right;

/** Where the parts of the drawing stand, from its top down. */
interface Layout {
  /** Top and height of: who served, what was not acknowledged, and (where it was recorded) the slowest request. */
  grids: { top: number; height: number }[];
  height: number;
}

/** Requests a second by region, below it those that were not acknowledged, below that the slowest, over one axis of time with the faults' moments. */
export function timelineChart(report: Report, { stepMs, slots }: Slots): Markup {
  const [fromMs, toMs] = [slots[0]?.t ?? 0, endOf(slots)];
  const marks = placed(momentsOf(report), plotWidth / (toMs - fromMs), toMs);
  const rows = 1 + Math.max(-1, ...marks.map(({ row }) => row));
  const shown = { elsewhere: slots.some((slot) => slot.elsewhere > 0), missing: slots.some(({ failed, unknown }) => failed + unknown > 0), slowest: slots.some(({ slowestMs }) => slowestMs !== undefined) };
  const keys = [
    ...report.regions.map(({ name }) => ({ name, icon: 'rect' })), ...(shown.elsewhere ? [{ name: nobody, icon: 'rect' }] : []),
    ...(shown.missing ? [{ name: 'failed', icon: 'rect' }, { name: 'unknown', icon: 'rect' }] : []), ...(shown.slowest ? [{ name: 'slowest request', icon: lineIcon }] : []),
  ];
  const layout = layoutOf(rows, shown);
  const { produce, regions } = report;
  const last = layout.grids.length - 1;
  return draw({
    id: 'timeline', height: layout.height + legendHeight(keys), title: 'Requests over time, by region and outcome',
    description: `${seconds(toMs - fromMs)} of load: ${plural(produce.ok, 'request')} acknowledged, ${produce.failed} failed, ${produce.unknown} of unknown outcome. `
      + `${momentsOf(report).map(({ t, label }) => `${label} at ${seconds(t)}`).join(', ')}. The table below holds the numbers.`,
    option: {
      grid: layout.grids.map(({ top, height }) => ({ left, right, top, height })),
      legend: legend(keys),
      xAxis: layout.grids.map((_, gridIndex) => axis('', {
        gridIndex, type: 'value', min: fromMs, max: toMs, containShape: false, splitLine: { show: false },
        axisLabel: { show: gridIndex === last, color: 'var(--text)', fontSize: 12, hideOverlap: true, formatter: (t: number) => seconds(t), showMinLabel: false, showMaxLabel: false },
      })),
      yAxis: [
        valueAxis(0, 'acknowledged requests a second, by the region that served', { type: 'value' }, rows * rowHeight),
        valueAxis(1, `requests not acknowledged${shown.missing ? ` in ${ms(stepMs)}` : ': none'}`, shown.missing
          ? { type: 'value', minInterval: 1, min: 0, max: ({ max }: { max: number }) => Math.max(1, max), splitNumber: 2 } : { type: 'value', min: 0, max: 1, interval: 1 }),
        ...(shown.slowest ? [valueAxis(2, 'slowest request, ms from when it was due (logarithmic)', { type: 'log' })] : []),
      ],
      series: [
        ...regions.map(({ name }, i) => served(name, regionStyle(i), slots, (slot) => slot.served[name] ?? 0)),
        ...(shown.elsewhere ? [served(nobody, { color: 'var(--nobody)', decal: { symbol: 'none' } }, slots, (slot) => slot.elsewhere)] : []),
        missing('failed', { color: 'var(--failed)' }, { stepMs, slots }), missing('unknown', { color: 'var(--unknown)', decal: unknownDecal }, { stepMs, slots }),
        ...(shown.slowest ? [slowestLine(slots, toMs)] : []),
        ...layout.grids.map((_, i) => overlay(report, { index: i, marks, endMs: toMs })),
      ],
    },
  });
}

/** The series of requests that somebody acknowledged without saying which region it is. */
const nobody = 'region not known';

function endOf(slots: readonly Slot[]): number {
  const { t = 0, lengthMs = 0 } = slots.at(-1) ?? {};
  return t + lengthMs;
}

function valueAxis(gridIndex: number, name: string, more: object, above = 0): object {
  return axis(name, { gridIndex, nameTextStyle: { align: 'left', color: 'var(--quiet)', padding: [0, 0, above, 8 - left] }, ...more });
}

function layoutOf(rows: number, shown: { missing: boolean; slowest: boolean }): Layout {
  const served = { top: 34 + rows * rowHeight, height: 190 };
  const missing = { top: served.top + served.height + 40, height: shown.missing ? 70 : 16 };
  const slowest = { top: missing.top + missing.height + 40, height: 110 };
  const grids = shown.slowest ? [served, missing, slowest] : [served, missing];
  const { top, height } = grids.at(-1) ?? slowest;
  return { grids, height: top + height };
}

/** Acknowledged requests a second as an area with a step per slot, up to the end of the last. */
function served(name: string, style: { color: string; decal: object }, slots: readonly Slot[], of: (slot: Slot) => number): object {
  const points = slots.map((slot) => [slot.t, Math.round(of(slot) * 10_000 / slot.lengthMs) / 10]);
  return {
    type: 'line', step: 'end', stack: 'served', name, data: [...points, [endOf(slots), points.at(-1)?.[1] ?? 0]], symbol: 'none', silent: true, lineStyle: { width: 1, color: style.color },
    itemStyle: style, areaStyle: { color: style.color, opacity: 1 },
  };
}

/** Requests of a slot that were not acknowledged, as a bar that is wide enough to be seen. */
function missing(name: 'failed' | 'unknown', style: object, { stepMs, slots }: Slots): object {
  return {
    type: 'bar', stack: 'missing', name, xAxisIndex: 1, yAxisIndex: 1, barWidth: Math.max(3, plotWidth / slots.length), silent: true, itemStyle: style,
    data: slots.filter((slot) => slot.failed + slot.unknown > 0).map((slot) => [slot.t + stepMs / 2, slot[name]]),
  };
}

function slowestLine(slots: Slots['slots'], toMs: number): object {
  const points = slots.map(({ t, slowestMs }) => [t, slowestMs === undefined ? '-' : Math.max(slowestMs, 0.1)]);
  return {
    type: 'line', step: 'end', name: 'slowest request', xAxisIndex: 2, yAxisIndex: 2, data: [...points, [toMs, points.at(-1)?.[1] ?? '-']], symbol: 'none', silent: true,
    lineStyle: { width: 1.5, color: 'var(--text)' }, itemStyle: { color: 'var(--text)' },
  };
}

/** The moments as lines through a grid, their labels above the first, and the time in which a fault was in effect as a shade. */
function overlay(report: Report, { index, marks, endMs }: { index: number; marks: readonly Placed[]; endMs: number }): object {
  return {
    type: 'line', name: `overlay ${index}`, xAxisIndex: index, yAxisIndex: index, data: [], silent: true,
    markArea: shades(report, endMs),
    markLine: verticals(marks, index === 0),
  };
}
