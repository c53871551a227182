import { stripVTControlCharacters } from 'node:util';

/**
 * Text for a terminal or a log: words of servers may hold escape sequences, which are taken out, and other control characters, which become U+FFFD. Line breaks and
 * tabs stay: they are our own layout.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll('\r\n', '\n').replaceAll(/[^\P{Cc}\n\t]/gu, '\ufffd');
}
