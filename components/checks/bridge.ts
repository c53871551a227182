import { request } from 'node:http';

import { type Look, reasonOf } from './problem.ts';

export interface BridgeInput {
  readonly region: string;
  readonly context: string;
  readonly namespace: string;
  /** Where the region's gateway is reached. */
  readonly address: string;
  /** Host name that is pinned to the region. */
  readonly hostname: string;
  /** Absent: 80, where every region's gateway listens. */
  readonly port?: number | undefined;
}

/** A bridge that does not reach Kafka answers after its own bounds, with an error. */
const timeoutMs = 20_000;

/** Asks the region for Kafka's topics, past tier1: the gateway, its route, the bridge and Kafka behind it. */
export const lookAtBridge: Look<BridgeInput> = async (input) => {
  const { address, hostname } = input;
  const by = `GET http://${hostname}/topics by the gateway at ${address}`;
  try {
    const { status, body } = await get(input);
    if (status === 200 && isList(body)) return [];
    return [{ found: `${by}: ${status} ${excerpt(body)}`, see: after(status, input) }];
  } catch (error) {
    return [{ found: `${by}: ${reasonOf(error)}`, see: unreachable(input) }];
  }
};

async function get({ address, hostname, port = 80 }: BridgeInput): Promise<{ status: number; body: string }> {
  return await new Promise((resolve, reject) => {
    const asked = request({ host: address, port, path: '/topics', headers: { host: hostname, accept: 'application/vnd.kafka.v2+json' }, timeout: timeoutMs, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk)).on('error', reject).on('end', () => { resolve({ status: answer.statusCode ?? 0, body }); });
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs / 1_000} s`))).on('error', reject).end();
  });
}

function isList(body: string): boolean {
  try {
    return Array.isArray(JSON.parse(body));
  } catch {
    return false;
  }
}

function excerpt(body: string): string {
  return body.trim().replaceAll(/\s+/g, ' ').slice(0, 300);
}

function after(status: number, { context, namespace }: BridgeInput): string {
  const logs = `kubectl --context ${context} logs -n ${namespace} -l strimzi.io/kind=KafkaBridge --tail 50`;
  if (status === 404) return `whether TSB took the gateway's routes: kubectl --context ${context} get gateways.gateway.tsb.tetrate.io,ingressgateways.gateway.tsb.tetrate.io -n ${namespace} -o yaml`;
  if (status === 503) return `whether the bridge is ready: kubectl --context ${context} get kafkabridge,pods,endpointslices -n ${namespace}; ${logs}`;
  return `whether the bridge reaches Kafka: ${logs}`;
}

function unreachable({ context, namespace }: BridgeInput): string {
  return `kubectl --context ${context} get pods,services -n ${namespace}; firewalls between this machine and the gateway. Where only tier1 is to reach it, set checks: false`;
}
