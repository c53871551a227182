/** Keys and indices from the top of the configuration down. */
export type Path = readonly PropertyKey[];

/** A path as the person wrote it; keys that are no plain words stand in brackets. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = String(part);
    if (text === '') return key;
    return /^[\w-]+$/.test(key) ? `${text}.${key}` : `${text}[${JSON.stringify(key)}]`;
  }, '');
}

/** What stands at a path, short enough for one line, and without anything that might be a secret. */
export function foundText(path: Path, value: unknown): string {
  if (value === undefined) return 'nothing';
  if (mayBeSecret(path, value)) return 'text that may be a secret';
  const text = JSON.stringify(value, function (this: unknown, key, inner: unknown) { return mayBeSecret([nameOf(key, this)], inner) ? '…' : inner; });
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Keys behind which people put secrets themselves. */
const secretKeys = /(password|passwd|pwd|passphrase|private[-._]?key|secret[-._]?key|client[-._]?secret|access[-._]?key|api[-._]?key|token|credentials?|jaas\.config|dockerconfigjson|dockercfg)$/i;

/** What a value is called: by its key, and in a list of variables, which are `name` and `value`, by the name beside it. */
export function nameOf(key: PropertyKey, holder: unknown): string {
  const { name } = asRecord(holder);
  return key === 'value' && typeof name === 'string' ? name : String(key);
}

/** Whether a value by its name is a secret itself, not the name of one. */
export function isSecret(name: string, value: string | number): boolean {
  return value !== '' && (secretKeys.test(name) || (/(^|[-._])auth$/i.test(name) && isCredentials(String(value))));
}

/** A user and a password in one, as Docker and Basic authentication have them. */
function isCredentials(text: string): boolean {
  return /^[A-Za-z0-9+/]+=*$/.test(text) && /^[\x20-\x7e]+:[\x20-\x7e]+$/.test(Buffer.from(text, 'base64').toString('utf8'));
}

/** Whether a value must not be repeated in a message. */
function mayBeSecret(path: Path, value: unknown): boolean {
  if (typeof value !== 'string' && typeof value !== 'number') return false;
  const key = String(path.at(-1) ?? '');
  return key === 'secret' || isSecret(key, value) || holdsSecret(String(value));
}

/** Whether a text is a JSON Web Token. */
export function holdsToken(text: string): boolean {
  return /\beyJ[-\w]{5,2000}\.eyJ[-\w]{5,}\.[-\w]+/.test(text);
}

/** Whether a text is recognisably a secret, wherever it stands. */
export function holdsSecret(text: string): boolean {
  return holdsToken(text) || /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text) || /\bpassword\s*=/i.test(text) || /^([a-z+]+:\/\/[^/@\s]+:|(https?|oci):\/\/)[^/?#@\s]+@/.test(text) || /"auth"\s*:\s*"[^"]/.test(text);
}

/** The value at a path, or undefined where the path leads nowhere. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, part) => (typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? (at as Record<PropertyKey, unknown>)[part] : undefined), value);
}

/** An object's own entries; none for anything else. */
export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
