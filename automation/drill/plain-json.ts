const [quote, dot, zero, backslash] = [34, 46, 48, 92];
/** Powers of ten that are exact as a double, as far as they are. */
const powers = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** So many digits fit into 31 bits, whose arithmetic is the fast one. */
const fewDigits = 9;
const places = 2048;

/** Numbers and texts of JSON, read from its bytes without a string for each: only as plain as JSON.stringify writes most of them. */
export class PlainJson {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  /** Texts that were met, by a hash of their bytes: the same few come again and again. */
  readonly #known = new Array<string>(places).fill('');

  /** Whether that byte is next, which then is behind. */
  is(byte: number): boolean {
    if (this.bytes[this.at] !== byte) return false;
    this.at += 1;
    return true;
  }

  /** Whether these bytes are next, which then are behind. */
  are(expected: Uint8Array): boolean {
    const { bytes, at } = this;
    for (let i = 0; i < expected.length; i += 1) if (bytes[at + i] !== expected[i]) return false;
    this.at += expected.length;
    return true;
  }

  /** The number that is next, as JSON.parse gives it; NaN where none is, or one with a sign. An exponent is left for the caller to stumble over. */
  number(): number {
    const begin = this.at;
    const whole = this.#digits();
    const point = this.at;
    if (point === begin || (point > begin + 1 && this.bytes[begin] === zero)) return NaN;
    if (!this.is(dot)) return point - begin <= fewDigits ? whole : Number(this.#slice(begin));
    const fraction = this.#digits();
    const decimals = this.at - point - 1;
    if (decimals === 0) return NaN;
    if (point - begin > fewDigits || decimals > fewDigits) return Number(this.#slice(begin));
    const power = powers[decimals] as number;
    const digits = whole * power + fraction;
    // All of its digits are an exact number, and a division of two of those is rounded once: as JSON.parse does.
    return digits <= Number.MAX_SAFE_INTEGER ? digits / power : Number(this.#slice(begin));
  }

  /** The number of the digits that are next; none where they are more than a few. */
  #digits(): number {
    const { bytes } = this;
    let { at } = this;
    let value = 0;
    for (let digit = bytes[at] as number - zero; digit >= 0 && digit <= 9; digit = bytes[at += 1] as number - zero) value = Math.imul(value, 10) + digit | 0;
    this.at = at;
    return value;
  }

  #slice(begin: number): string {
    return this.bytes.toString('latin1', begin, this.at);
  }

  /** The text that is next; undefined where none is, or one with escapes, or with anything beyond ASCII. `guess`: what it is, most likely. */
  text(guess = ''): string | undefined {
    const { bytes } = this;
    const begin = this.at + 1;
    if (bytes[begin - 1] !== quote) return undefined;
    if (bytes[begin + guess.length] === quote && isThere(guess, bytes, begin)) {
      this.at = begin + guess.length + 1;
      return guess;
    }
    let end = begin;
    let hash = 0;
    for (let byte = bytes[end] as number; byte !== quote; byte = bytes[end += 1] as number) {
      // So written that it holds beyond the end, too.
      if (!(byte >= 32 && byte < 127) || byte === backslash) return undefined;
      hash = Math.imul(hash, 31) + byte | 0;
    }
    this.at = end + 1;
    const place = hash & (places - 1);
    const known = this.#known[place] as string;
    return known.length === end - begin && isThere(known, bytes, begin) ? known : this.#known[place] = bytes.toString('latin1', begin, end);
  }
}

function isThere(text: string, bytes: Buffer, begin: number): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== bytes[begin + i]) return false;
  return true;
}
