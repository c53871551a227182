import { html } from './markup.ts';
import type { Markup } from './markup.ts';

export interface Column {
  title: string;
  number?: boolean;
}

export interface Table {
  /** Says what the table holds; screen readers announce it, and it names the region that scrolls. */
  caption: string;
  columns: Column[];
  /** The first cell of a row is its header. */
  rows: (Markup | string)[][];
}

/** A table that can be read by ear, and scrolled by keyboard where it is wider than the page. */
export function table({ caption, columns, rows }: Table): Markup {
  const cell = (content: Markup | string, i: number): Markup => {
    const number = columns[i]?.number === true && html` class="number"`;
    return i === 0 ? html`<th scope="row"${number}>${content}</th>` : html`<td${number}>${content}</td>`;
  };
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ title, number }) => html`<th scope="col"${number === true && html` class="number"`}>${title}</th>`)}</tr></thead>
<tbody>
${rows.map((cells) => html`<tr>${cells.map(cell)}</tr>
`)}</tbody></table></div>`;
}

/** The numbers behind a chart, to be opened by those who want them. */
export function dataTable(summary: string, content: Table): Markup {
  return html`<details class="data"><summary>${summary}</summary>${table(content)}</details>`;
}
