import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';

/**
 * Puts text into a file that others have mounted: the file stays the same one and never gets shorter, so that a reader at any
 * moment finds whole lines. Does nothing when it is there already.
 */
export function writeInPlace(path: string, text: string): void {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    const size = fstatSync(descriptor).size;
    const whole = Buffer.from(text);
    if (readFileSync(path, 'utf8').trimEnd() === text.trimEnd()) return;
    const padding = Buffer.alloc(Math.max(size - whole.length, 0), '\n');
    const written = writeSync(descriptor, Buffer.concat([whole, padding]), 0, undefined, 0);
    // A full disk: what is there is then the whole of what could be written.
    if (written < whole.length) ftruncateSync(descriptor, written);
  } finally {
    closeSync(descriptor);
  }
}
