import { axis, draw, legend, lineIcon, regionStyle } from './draw.ts';
import type { Markup } from './markup.ts';
import type { Report } from '../report.ts';
import { momentsOf, placed, rowHeight, shades, verticals } from './moments.ts';
import type { ConsumptionSlot } from './slots.ts';
import { count, ms, seconds } from './words.ts';

const left = 72;
const right = 40;
const plotWidth = 960 - left - right;

/** Latency by percentile. The axis gives each further nine the same room, as the few slow requests are what a failover makes. */
export function latencyChart(all: NonNullable<Report['latencyCurve']>, ok: number): Markup {
  const farthest = Math.log10(Math.max(ok, 10));
  // Beyond one request in all there is only the slowest.
  const curve = all.filter(({ percentile }) => percentile >= 100 || (1 - percentile / 100) * ok > 1);
  const nines = (percentile: number): number => percentile >= 100 ? farthest : Math.min(farthest, -Math.log10(1 - percentile / 100));
  const data = curve.map((point) => [nines(point.percentile), Math.max(point.ms, 0.1)]);
  const [median, slow, max] = [50, 99, 100].map((wanted) => curve.find(({ percentile }) => percentile === wanted)?.ms);
  return draw({
    id: 'latency', height: 300, title: 'Latency by percentile',
    description: [median !== undefined && `half of the requests took at most ${ms(median)}`, slow !== undefined && `99 of 100 at most ${ms(slow)}`, max !== undefined && `the slowest ${ms(max)}`]
      .filter(Boolean).join(', '),
    option: {
      grid: { left, right, top: 40, bottom: 56 },
      xAxis: axis('percentile: this share of the requests was at least as fast', {
        type: 'value', min: 0, max: farthest, interval: 1, nameLocation: 'middle', nameGap: 34, nameTextStyle: { color: 'var(--quiet)', fontSize: 12 },
        axisLabel: { color: 'var(--text)', fontSize: 12, formatter: nineLabel, showMaxLabel: true },
      }),
      yAxis: axis('ms from when a request was due (logarithmic)', {
        type: 'log', nameTextStyle: { align: 'left', color: 'var(--quiet)', padding: [0, 0, 0, -left + 8] },
        axisLabel: { color: 'var(--text)', fontSize: 12, formatter: (value: number) => count(value) },
      }),
      series: [{
        type: 'line', name: 'latency', data, symbol: 'circle', symbolSize: 5, silent: true, lineStyle: { width: 2, color: 'var(--region-0)' }, itemStyle: { color: 'var(--region-0)' },
        endLabel: { show: false },
        markPoint: {
          silent: true, symbol: 'circle', symbolSize: 1, itemStyle: { color: 'transparent' },
          data: labelled(curve).map(({ percentile, ms: value }, i, all) => ({
            coord: [nines(percentile), Math.max(value, 0.1)],
            label: { formatter: ms(value), position: 'top', distance: 8, color: 'var(--text)', fontSize: 12, align: i === all.length - 1 ? 'right' : 'center' },
          })),
        },
      }],
    },
  });
}

/** The points whose values stand beside the line. */
function labelled(curve: NonNullable<Report['latencyCurve']>): NonNullable<Report['latencyCurve']> {
  return curve.filter(({ percentile }) => [50, 90, 99, 100].includes(percentile));
}

function nineLabel(value: number): string {
  if (!Number.isInteger(value)) return 'slowest';
  return value === 0 ? 'fastest' : `${(100 - 10 ** (2 - value)).toFixed(Math.max(0, value - 2))} %`;
}

/** What consumers had been given, and how far they were behind, over time. */
export function consumersChart(report: Report, slots: readonly ConsumptionSlot[]): Markup {
  const endOf = ({ t, lengthMs }: ConsumptionSlot): number => t + lengthMs;
  const last = slots.at(-1) ?? { t: 0, lengthMs: 1, delivered: 0, lag: 0 };
  const [fromMs, toMs] = [slots[0]?.t ?? 0, endOf(last)];
  const marks = placed(momentsOf(report), plotWidth / (toMs - fromMs), toMs);
  const top = 34 + rowHeight * (1 + Math.max(-1, ...marks.map(({ row }) => row)));
  const worst = Math.max(0, ...slots.map(({ lag }) => lag));
  const time = (gridIndex: number): object => axis('', {
    gridIndex, type: 'value', min: fromMs, max: toMs, splitLine: { show: false },
    axisLabel: { show: gridIndex === 1, color: 'var(--text)', fontSize: 12, hideOverlap: true, formatter: (t: number) => seconds(t), showMinLabel: false, showMaxLabel: false },
  });
  const name = (gridIndex: number, text: string, above: number): object => axis(text, {
    gridIndex, type: 'value', min: 0, minInterval: 1, splitNumber: 3, nameTextStyle: { align: 'left', color: 'var(--quiet)', padding: [0, 0, above, -left + 8] },
    axisLabel: { color: 'var(--text)', fontSize: 12, formatter: (value: number) => count(value) },
  });
  const line = (label: string, gridIndex: number, data: [t: number, value: number][], more: object): object => ({
    type: 'line', name: label, xAxisIndex: gridIndex, yAxisIndex: gridIndex, symbol: 'none', silent: true, data, ...more,
    markLine: verticals(marks, gridIndex === 0), markArea: shades(report, toMs),
  });
  return draw({
    id: 'consumers', height: top + 130 + 40 + 110 + 70, title: 'Position and lag of the consumers over time',
    description: `${count(last.delivered)} records delivered by ${seconds(toMs)}; at worst ${count(worst)} acknowledged records were not delivered yet.`,
    option: {
      grid: [{ left, right, top, height: 130 }, { left, right, top: top + 170, height: 110 }],
      legend: legend([{ name: 'delivered', icon: lineIcon }, { name: 'lag', icon: 'rect' }]),
      xAxis: [time(0), time(1)],
      yAxis: [name(0, 'records delivered so far', marks.length === 0 ? 0 : top - 34), name(1, 'lag: records acknowledged, not yet delivered', 0)],
      series: [
        line('delivered', 0, slots.map((slot) => [endOf(slot), slot.delivered]), { lineStyle: { width: 2, color: 'var(--region-0)' }, itemStyle: { color: 'var(--region-0)' } }),
        line('lag', 1, [...slots.map(({ t, lag }): [number, number] => [t, lag]), [toMs, last.lag]], {
          step: 'end', lineStyle: { width: 1, color: 'var(--region-1)' }, itemStyle: regionStyle(1), areaStyle: { color: 'var(--region-1)', opacity: 1 },
        }),
      ],
    },
  });
}
