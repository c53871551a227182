import { directionsShown } from '../../printable.ts';

/** Markup that is safe to put into a page as it is. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Content = Markup | string | number | undefined | false | readonly Content[];

/** HTML from a template: whatever is put in is escaped, unless it came from this function itself. `undefined` and `false` are nothing. */
export function html(strings: TemplateStringsArray, ...contents: Content[]): Markup {
  return new Markup(strings.reduce((text, string, i) => text + render(contents[i - 1]) + string));
}

function render(content: Content): string {
  if (content === undefined || content === false) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'object') return content.map(render).join('');
  return escape(String(content));
}

const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };

/**
 * Text for HTML and XML, in elements and in quoted attributes. Characters that XML 1.0 does not know at all (most control characters, lone
 * surrogates) become U+FFFD, as error texts may hold any; those that turn text around are shown escaped.
 */
export function escape(text: string): string {
  return [...directionsShown(text)].map((character) => named[character] ?? (isXml(character.codePointAt(0) ?? 0) ? character : '\ufffd')).join('');
}

/** https://www.w3.org/TR/xml/#charsets */
function isXml(code: number): boolean {
  return code === 0x9 || code === 0xa || code === 0xd || (code >= 0x20 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
}
