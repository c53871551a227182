/** All records of a topic, as a client of the bridge gets them. */
import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';

const media = 'application/vnd.kafka.v2+json';
const idleMs = 3000;

/**
 * Reads a topic from its beginning to its end.
 * @param address tier1's `host:port`
 * @returns the records' `id` fields
 */
export async function readRecords(address: string, hostname: string, topic: string): Promise<string[]> {
  const pool = new Pool(`http://${address}`);
  const ask = async (method: 'GET' | 'POST' | 'DELETE', host: string, path: string, body?: object): Promise<unknown> => {
    const answer = await pool.request({ method, path, headers: { host, accept: method === 'GET' ? 'application/vnd.kafka.json.v2+json' : media, ...(body === undefined ? {} : { 'content-type': media }) }, body: body === undefined ? null : JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: HTTP ${String(answer.statusCode)} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  try {
    const consumer = { name: 'reader', format: 'json', 'auto.offset.reset': 'earliest', 'enable.auto.commit': false };
    const { base_uri: base } = await ask('POST', hostname, `/consumers/${randomUUID()}`, consumer) as { base_uri: string };
    // The instance lives in the region that this host names.
    const { host, pathname } = new URL(base);
    await ask('POST', host, `${pathname}/subscription`, { topics: [topic] });
    const found: string[] = [];
    for (let last = performance.now(); performance.now() - last < idleMs;) {
      const records = await ask('GET', host, `${pathname}/records?timeout=500`) as { value: { id: string } }[];
      found.push(...records.map(({ value }) => value.id));
      if (records.length > 0 || found.length === 0) last = performance.now();
    }
    await ask('DELETE', host, pathname);
    return found;
  } finally {
    await pool.close();
  }
}
