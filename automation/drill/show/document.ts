/** What the page of a run and that of a series are made of. */
import { readFileSync } from 'node:fs';
import type { Report } from '../report.ts';
import { html, Markup } from './markup.ts';
import { verdicts } from './words.ts';

/** Nothing is loaded and nothing runs: what the page shows is in it. */
const policy = 'default-src \'none\'; style-src \'unsafe-inline\'; img-src data:; base-uri \'none\'; form-action \'none\'';

/** One HTML file that needs nothing else: no network, no script. */
export function htmlDocument(title: string, body: Markup): string {
  const css = new Markup(readFileSync(new URL('page.css', import.meta.url), 'utf8'));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>
${css}</style>
</head>
<body>
<a class="skip" href="#verdict">To the verdict</a>
${body}
</body>
</html>
`.text;
}

/** The verdict as a word, and what it means in sentences. */
export function verdictSection(verdict: Report['verdict'], sentences: readonly string[]): Markup {
  const { word, sign } = verdicts[verdict];
  return html`<section id="verdict" class="verdict ${verdict}" aria-labelledby="verdict-word" tabindex="-1">
<p class="word" id="verdict-word"><span aria-hidden="true">${sign}</span> ${word}</p>
${sentences.map((text) => html`<p>${text}</p>
`)}</section>
`;
}

/** A figure that a decision hangs on. */
export function tile(label: string, value: string | undefined, more?: string): Markup {
  return html`<div><dt>${label}</dt><dd>${value ?? 'not measured'}${more !== undefined && html`<small>${more}</small>`}</dd></div>
`;
}

export interface Section {
  id: string;
  title: string;
  body: Markup;
}

/** Sections below each other, and before them a list that leads to each. */
export function navigated(sections: readonly Section[]): Markup {
  return html`<nav aria-label="Sections"><ul>
${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>
`)}</ul></nav>
${sections.map(({ id, title, body }) => html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${body}
</section>
`)}`;
}
