import { createRequire } from 'node:module';
import type * as ECharts from 'echarts';
import { directionsShown } from '../../printable.ts';
import { Markup, escape } from './markup.ts';

export interface Drawing {
  /** Tells its ids from those of the page's other charts. */
  id: string;
  title: string;
  /** What the chart shows, for those who do not see it. */
  description: string;
  height: number;
  option: ECharts.EChartsCoreOption;
}

const width = 960;

/** The build in one file: it is there in a tenth of a second, the modules one by one take seconds. Only who draws has to wait for it. */
const load = (): typeof ECharts => createRequire(import.meta.url)('echarts/dist/echarts.common.min.js') as typeof ECharts;

/**
 * A chart as SVG, drawn here and not in the browser: so it is there in print, without scripts, and the same each time. Colours are
 * the page's custom properties, which know light and dark.
 */
export function draw({ id, title, description, height, option }: Drawing): Markup {
  const chart = load().init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: 'inherit', color: 'var(--text)' }, ...option });
    return new Markup(named(directionsShown(chart.renderToSVGString({ useViewBox: true })), { id, title, description }));
  } finally {
    chart.dispose();
  }
}

/** The drawing with a name for screen readers, ids of its own, and without what only the library's own script would read. */
function named(svg: string, { id, title, description }: Pick<Drawing, 'id' | 'title' | 'description'>): string {
  return svg
    .replaceAll(/ ecmeta_\w+="[^"]*"/g, '')
    .replaceAll(/<style\s*>[^]*?<\/style>/g, '').replaceAll(/ class="zr\d+-cls-\d+"/g, '')
    .replaceAll(/\bzr\d+-/g, `${id}-`)
    .replace(/<svg [^>]*viewBox="([^"]*)"[^>]*>/, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="$1" role="img" aria-labelledby="${id}-title ${id}-desc">`
      + `<title id="${id}-title">${escape(title)}</title><desc id="${id}-desc">${escape(description)}</desc>`);
}

/** Fill and pattern of the n-th region: each pattern of twelve differs, so that colour is never the only sign. Those of more come in other pairs of both. */
export function regionStyle(index: number): { color: string; decal: object } {
  return { color: `var(--region-${index % 6})`, decal: decals[(index + Math.floor(index / decals.length)) % decals.length] ?? {} };
}

const ink = 'var(--pattern)';
const decals: object[] = [
  { symbol: 'none' },
  { symbol: 'rect', color: ink, dashArrayX: [1, 0], dashArrayY: [1.5, 5], rotation: Math.PI / 4 },
  { symbol: 'circle', color: ink, symbolSize: 0.5, dashArrayX: [[6, 6], [0, 6, 6, 0]], dashArrayY: [6, 0] },
  { symbol: 'rect', color: ink, dashArrayX: [1, 0], dashArrayY: [1.5, 5], rotation: -Math.PI / 4 },
  { symbol: 'rect', color: ink, dashArrayX: [1, 0], dashArrayY: [1.5, 4], rotation: 0 },
  { symbol: 'rect', color: ink, dashArrayX: [1, 0], dashArrayY: [1.5, 4], rotation: Math.PI / 2 },
  { symbol: 'rect', color: ink, dashArrayX: [[5, 5], [0, 5, 5, 0]], dashArrayY: [5, 0] },
  { symbol: 'rect', color: ink, dashArrayX: [1, 0], dashArrayY: [6, 6], rotation: Math.PI / 4 },
  { symbol: 'triangle', color: ink, symbolSize: 0.75, dashArrayX: [[9, 9], [0, 9, 9, 0]], dashArrayY: [7, 2] },
  { symbol: 'rect', color: ink, dashArrayX: [1, 0], dashArrayY: [6, 6], rotation: -Math.PI / 4 },
  { symbol: 'rect', color: ink, dashArrayX: [1, 0], dashArrayY: [6, 6], rotation: 0 },
  { symbol: 'rect', color: ink, dashArrayX: [1, 0], dashArrayY: [6, 6], rotation: Math.PI / 2 },
];
export const unknownDecal = { symbol: 'rect', color: ink, dashArrayX: [1, 0], dashArrayY: [2, 2], rotation: -Math.PI / 4 };

/** Lines and words of an axis, in the page's colours. */
export function axis(name: string, more: object = {}): object {
  return {
    name, nameTextStyle: { color: 'var(--quiet)', fontSize: 12 }, axisLabel: { color: 'var(--text)', fontSize: 12, hideOverlap: true },
    axisLine: { show: true, lineStyle: { color: 'var(--line)' } }, axisTick: { show: true, lineStyle: { color: 'var(--line)' } },
    splitLine: { lineStyle: { color: 'var(--grid)' } }, ...more,
  };
}

/** A legend's sign for a line. */
export const lineIcon = 'path://M0 5H24V8H0Z';

interface Key {
  name: string;
  icon: string;
}

const [keyWidth, keyGap, characterWidth, keyRow] = [26, 22, 7.8, 24];

/** The legend below a chart. The library takes text for narrower than some fonts are, so each name is given its room. */
export function legend(keys: Key[]): object {
  return {
    data: keys.map((key) => ({ ...key, textStyle: { width: key.name.length * characterWidth } })), left: 'center', bottom: 0, itemWidth: keyWidth, itemHeight: 14, itemGap: keyGap,
    textStyle: { color: 'var(--text)', fontSize: 13 },
  };
}

/** How much room the legend needs below the axis' labels, px. */
export function legendHeight(keys: Key[]): number {
  const total = keys.reduce((sum, { name }) => sum + keyWidth + 5 + name.length * characterWidth + keyGap, 0);
  return 38 + keyRow * Math.ceil(total / (width - 20));
}
