// A producer or a consumer of the Kafka Bridge, run as it is by Node.js 20 or newer. Nothing but Node.js is needed.
//   ROLE         producer or consumer
//   URL          what all regions share, such as http://kafka-bridge.example
//   TOPIC        written and read
//   INTERVAL_MS  time between two records, of a producer
//   GROUP        of a consumer
// A person reads its log: a line for what goes wrong, and every ten seconds one that sums up.

import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';

const env = (name) => process.env[name] || fail(`${name} is not set`);
const role = env('ROLE');
const url = env('URL').replace(/\/$/, '');
const topic = env('TOPIC');

// The bridge takes and gives records in this format, and everything else in the other; without them it answers 400 or 406.
const recordsType = 'application/vnd.kafka.json.v2+json';
const bridgeType = 'application/vnd.kafka.v2+json';

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stop.abort());

const sums = new Map();
const summary = setInterval(sumUp, 10_000);
await ({ producer: produce, consumer: consume }[role] ?? (() => fail(`ROLE is ${role}: producer or consumer`)))();
clearInterval(summary);
sumUp();

/** One record after another, at fixed times. None is sent twice: what failed may have been written all the same. */
async function produce() {
  const intervalMs = Number(env('INTERVAL_MS'));
  const run = new Date().toISOString();
  const started = performance.now();
  for (let number = 0; !stop.signal.aborted; number += 1) {
    const record = { key: `key-${number % 10}`, value: { run, number } };
    try {
      const { status, headers, body } = await call('POST', `${url}/topics/${encodeURIComponent(topic)}`, { type: recordsType, body: { records: [record] }, timeoutMs: 20_000 });
      // An answer of 200 may still say that a record was not written.
      const failure = status === 200 ? body?.offsets?.find((offset) => offset.error_code !== undefined) : { error_code: status, message: said(body) };
      if (failure) problem('record', `${number}: ${failure.error_code} ${failure.message ?? ''}`);
      else count(`written by ${served(headers)}`, body?.offsets?.length ?? 0);
    } catch (error) {
      problem('record', `${number}: ${reason(error)}`);
    }
    await pause(started + (number + 1) * intervalMs - performance.now());
  }
}

/** An instance of a consumer lives on one bridge, so it is called by the address that the bridge gave it; when it is lost another is made by the common one. */
async function consume() {
  const group = env('GROUP');
  for (let lost = 0; !stop.signal.aborted; ) {
    let instance;
    try {
      instance = await create(group);
      lost = 0;
      await poll(instance);
    } catch (error) {
      if (stop.signal.aborted) break;
      problem('instance', `${instance ?? 'none yet'}: ${reason(error)}; making another`);
      count('instances lost', 1);
    }
    // A member that is gone for good should not be waited for; one that cannot be reached leaves its group by itself.
    if (instance !== undefined) await call('DELETE', instance, { timeoutMs: 2_000, evenWhenStopping: true }).catch(() => undefined);
    await pause(Math.min(5_000, 250 * 2 ** lost));
    lost += 1;
  }
}

async function create(group) {
  const wanted = { format: 'json', 'auto.offset.reset': 'earliest', 'enable.auto.commit': false };
  const { body } = await must('POST', `${url}/consumers/${encodeURIComponent(group)}`, { type: bridgeType, body: wanted, timeoutMs: 10_000 });
  const instance = body.base_uri;
  await must('POST', `${instance}/subscription`, { type: bridgeType, body: { topics: [topic] }, timeoutMs: 10_000 });
  console.log(`instance ${instance}`);
  return instance;
}

/** Reads and commits what it read, until the instance is lost: at once when the bridge does not know it, else after the third failure in a row. */
async function poll(instance) {
  for (let failures = 0; !stop.signal.aborted; ) {
    const { status, headers, body } = await call('GET', `${instance}/records?timeout=1000`, { accept: recordsType, timeoutMs: 20_000 }).catch((error) => ({ status: 0, body: reason(error) }));
    if (stop.signal.aborted) return;
    if (status === 200) {
      failures = 0;
      count(`read by ${served(headers)}`, body.length);
      if (body.length > 0) await commit(instance, body);
      continue;
    }
    const why = `${status} ${said(body)}`;
    if (status === 404 || (failures += 1) === 3) throw new Error(why);
    problem('read', why);
    await pause(500);
  }
}

async function commit(instance, records) {
  const next = new Map();
  for (const { partition, offset } of records) next.set(partition, Math.max(next.get(partition) ?? 0, offset + 1));
  const offsets = [...next].map(([partition, offset]) => ({ topic, partition, offset }));
  await must('POST', `${instance}/offsets`, { type: bridgeType, body: { offsets }, timeoutMs: 20_000 });
}

async function must(method, address, options) {
  const answer = await call(method, address, options);
  if (answer.status < 200 || answer.status > 299) throw new Error(`${method} ${address}: ${answer.status} ${said(answer.body)}`);
  return answer;
}

async function call(method, address, { type, accept = bridgeType, body, timeoutMs, evenWhenStopping = false }) {
  const signals = [AbortSignal.timeout(timeoutMs), ...(evenWhenStopping ? [] : [stop.signal])];
  const headers = { accept, ...(body === undefined ? {} : { 'content-type': type }) };
  const answer = await send(address, { method, headers, signal: AbortSignal.any(signals) }, body === undefined ? undefined : JSON.stringify(body));
  return { status: answer.statusCode, headers: answer.headers, body: parsed(await text(answer)) };
}

/** A CA that is given (NODE_EXTRA_CA_CERTS) may be one that another signed: fetch cannot be told to trust that. */
function send(address, options, body) {
  const { request } = address.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    request(address, { ...options, allowPartialTrustChain: true }, resolve).on('error', reject).end(body);
  });
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** The region that answered, where its gateway says so. */
function served(headers) {
  return headers?.['x-kbf-gateway'] ?? 'a bridge';
}

function said(body) {
  return typeof body === 'string' ? body.slice(0, 200) : (body?.message ?? JSON.stringify(body));
}

function reason(error) {
  // Of several addresses that all refused, the error that holds theirs has no text.
  return error.cause?.message || error.message || error.errors?.at(-1)?.message || error.code;
}

function count(what, by) {
  sums.set(what, (sums.get(what) ?? 0) + by);
}

function problem(what, why) {
  if (stop.signal.aborted) return;
  count(`${what} failed`, 1);
  console.log(`${what} ${why}`);
}

function sumUp() {
  if (sums.size > 0) console.log([...sums].map(([what, number]) => `${what}: ${number}`).join(', '));
  sums.clear();
}

async function pause(ms) {
  if (ms <= 0 || stop.signal.aborted) return;
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
