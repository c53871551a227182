/**
 * Reference bridge: the HTTP API of Strimzi Kafka Bridge 1.1.0 over a real Kafka client, for machines where the official release
 * cannot be had. It says so in its version. Where it differs on purpose:
 * - one warm producer for all connections, not one for each;
 * - no worker pool: long polls do not hold produces up;
 * - on SIGTERM it goes on serving for a moment, so that gateways hear of it first, then drains: nothing in flight is lost.
 *   (The official one closes its consumers and producers first and, up to 1.1.0, exits early.)
 * - no linger.ms: a record goes at once (Kafka's client 4 waits 5 ms by default);
 * - rebalances are followed between polls as well; an instance in the middle of a poll is not idle;
 * - no TLS, CORS, tracing or metrics on its HTTP side; `/openapi` names operations only;
 * - of SASL it knows SCRAM-SHA-512; a certificate that Kafka refuses looks to it like a Kafka that is not there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { UserError } from '../../errors.ts';
import { Api, version } from './api.ts';
import { Cluster } from './cluster.ts';
import { readConfig } from './config.ts';
import { serve } from './http.ts';
import { log } from './log.ts';
import { readProperties } from './properties.ts';

/** How long it goes on serving after SIGTERM: time for the end of its endpoint to reach the gateways, ms. */
const lameDuckMs = 1000;
/** How long clients get at most to move on to other connections once they were asked to, ms. */
const moveOnMs = 2000;
/** The longest wait for requests in flight, ms: well within Kubernetes' usual 30 s of grace. */
const drainMs = 20_000;

try {
  await main();
} catch (error) {
  log('ERROR', error instanceof UserError ? [error.message, error.remedy].filter(Boolean).join('; ') : error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = error instanceof UserError ? error.exitCode : 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { 'config-file': { type: 'string' } } });
  if (values['config-file'] === undefined) throw new UserError('usage: main.ts --config-file application.properties', { exitCode: 2 });
  log('INFO', `Strimzi Kafka Bridge ${version} is starting`);
  const config = readConfig(await readProperties(values['config-file']));
  if (config.ignored.length > 0) log('WARN', `not honoured by the reference bridge: ${config.ignored.join(', ')}`);
  const cluster = new Cluster(config.id ?? 'kafka-bridge', config.client, config.admin);
  const api = new Api(config, cluster);
  const servers = { api: serve(api, 'api'), management: serve(api, 'management') };
  await servers.api.listen(config.port, config.host);
  await servers.management.listen(config.managementPort, config.host);
  api.ready = true;
  log('INFO', `HTTP Bridge server started and listening on port ${String(config.port)}`);
  const stop = (): void => {
    stopping(api, servers).then(() => process.exit(0), (error: unknown) => {
      log('ERROR', `while stopping: ${String(error)}`);
      process.exit(1);
    });
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}

async function stopping(api: Api, servers: Record<'api' | 'management', ReturnType<typeof serve>>): Promise<void> {
  log('INFO', 'Stopping HTTP bridge: serving on for a moment, then draining');
  api.ready = false;
  await sleep(lameDuckMs);
  servers.api.drain();
  const left = api.closeConsumers();
  // A connection is not ended while its client may still be sending on it: it goes by itself, or when this time is over.
  for (const end = Date.now() + moveOnMs; servers.api.connections > 0 && Date.now() < end;) await sleep(20);
  for (const end = Date.now() + drainMs; servers.api.inFlight > 0 && Date.now() < end;) {
    servers.api.close();
    await sleep(20);
  }
  if (servers.api.inFlight > 0) log('WARN', `${String(servers.api.inFlight)} requests were still in flight after ${String(drainMs)} ms`);
  await left;
  await api.close();
  servers.api.destroy();
  servers.management.destroy();
  log('INFO', 'HTTP bridge has been shut down successfully');
}
