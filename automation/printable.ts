import { stripVTControlCharacters } from 'node:util';

/**
 * Text for a terminal or a log: words of servers may hold escape sequences, which are taken out, other control characters, which become U+FFFD, and what turns text around, which is shown
 * escaped. Line breaks and tabs stay: they are our own layout.
 */
export function printable(text: string): string {
  return directionsShown(stripVTControlCharacters(text)).replaceAll('\r\n', '\n').replaceAll(/[^\P{Cc}\n\t]/gu, '\ufffd');
}

/** Characters that embed, override or isolate a direction of text would have others read what is not there, around them too: they become their escapes, such as `\u202e`. */
export function directionsShown(text: string): string {
  return text.replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}
