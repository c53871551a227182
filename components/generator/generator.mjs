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
import { setTimeout as delay } from 'node:timers/promises';

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
      // An answer of 200 may still say that a record was not written, or be somebody's on the way to the bridge.
      const [entry] = status === 200 && Array.isArray(body?.offsets) ? body.offsets : [];
      if (typeof entry?.offset === 'number') count(`written by ${served(headers)}`, 1);
      else problem('record', `${number}: ${entry?.error_code ?? status} ${entry?.message ?? said(body)}`);
    } catch (error) {
      problem('record', `${number}: ${reason(error)}`);
    }
    await pause(started + (number + 1) * intervalMs - performance.now());
  }
}

/** An instance of a consumer lives on one bridge, so it is called by the address that the bridge gave it; when it is lost another is made by the common one. */
async function consume() {
  const group = env('GROUP');
  const left = new Set();
  for (let lost = 0; !stop.signal.aborted; lost += 1) {
    let instance;
    try {
      instance = await create(group);
      await must('POST', `${instance}/subscription`, { type: bridgeType, body: { topics: [topic] }, timeoutMs: 10_000 });
      console.log(`instance ${instance}`);
      while (!stop.signal.aborted) {
        await poll(instance);
        lost = 0;
      }
    } catch (error) {
      problem('instance', `${instance ?? 'none yet'}: ${reason(error)}; making another`);
    }
    if (instance !== undefined) {
      const leaving = leave(instance).finally(() => left.delete(leaving));
      left.add(leaving);
    }
    await pause(Math.min(5_000, 250 * 2 ** lost));
  }
  await Promise.all(left);
}

async function create(group) {
  const wanted = { format: 'json', 'auto.offset.reset': 'earliest', 'enable.auto.commit': false };
  const { body } = await must('POST', `${url}/consumers/${encodeURIComponent(group)}`, { type: bridgeType, body: wanted, timeoutMs: 10_000 }, 200);
  if (typeof body?.base_uri !== 'string') throw new Error(`no answer of a bridge: ${said(body)}`);
  return body.base_uri;
}

/**
 * Deletes an instance, again and again until its bridge says that it has none. The bridge may be gone for good, but where only the way to it was, it still holds
 * the instance as a member of the group, whose partitions nobody else is given before the bridge takes it for idle: within a minute. Told to stop, it tries but once.
 */
async function leave(instance) {
  const until = performance.now() + 60_000;
  for (;;) {
    const { status } = await call('DELETE', instance, { timeoutMs: 2_000, evenWhenStopping: true }).catch(() => ({}));
    if (status === 204 || status === 404 || stop.signal.aborted || performance.now() > until) return;
    await pause(1_000);
  }
}

/**
 * Reads and commits what it read. The bridge is past what it gave in an answer that did not come whole: whatever goes wrong, the instance is not asked again,
 * and the next one begins at what is committed.
 */
async function poll(instance) {
  const { status, headers, body } = await read(instance);
  if (status !== 200 || !Array.isArray(body)) throw new Error(`${status} ${said(body)}`);
  count(`read by ${served(headers)}`, body.length);
  if (body.length > 0) await commit(instance, body);
}

/** A poll. It is repeated, twice at most, only where it reached nobody: the connection was refused. */
async function read(instance) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call('GET', `${instance}/records?timeout=1000`, { accept: recordsType, timeoutMs: 20_000 });
    } catch (error) {
      if (error.code !== 'ECONNREFUSED' || tries === 3) throw error;
      problem('read', reason(error));
      await pause(500);
    }
  }
}

async function commit(instance, records) {
  const next = new Map();
  for (const { partition, offset } of records) next.set(partition, Math.max(next.get(partition) ?? 0, offset + 1));
  const offsets = [...next].map(([partition, offset]) => ({ topic, partition, offset }));
  await must('POST', `${instance}/offsets`, { type: bridgeType, body: { offsets }, timeoutMs: 20_000 });
}

async function must(method, address, options, wanted = 204) {
  const answer = await call(method, address, options);
  if (answer.status !== wanted) throw new Error(`${method} ${address}: ${answer.status} ${said(answer.body)}`);
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
  return typeof body === 'string' ? body.slice(0, 200).replaceAll(/\s+/g, ' ') : (body?.message ?? JSON.stringify(body));
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

/** Shorter where it is told to stop. */
async function pause(ms) {
  if (ms > 0) await delay(ms, undefined, { signal: stop.signal }).catch(() => undefined);
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
