import { shellWord } from '../../config/shell-word.ts';
import { askTopics } from './ask-topics.ts';
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

/** Asks the region for Kafka's topics, past tier1: the gateway, its route, the bridge and Kafka behind it. */
export const lookAtBridge: Look<BridgeInput> = async (input) => {
  const { address, hostname, port = 80 } = input;
  const by = `GET http://${hostname}/topics by the gateway at ${address}`;
  try {
    const refused = await askTopics({ address, hostname, port });
    return refused === undefined ? [] : [{ found: `${by}: ${refused.text}`, see: after(refused.status, input) }];
  } catch (error) {
    return [{ found: `${by}: ${reasonOf(error)}`, see: unreachable(input) }];
  }
};

function after(status: number, { context, namespace }: BridgeInput): string {
  const logs = `kubectl --context ${shellWord(context)} logs -n ${namespace} -l strimzi.io/kind=KafkaBridge --tail 50`;
  if (status === 404) return `whether TSB took the gateway's routes: kubectl --context ${shellWord(context)} get gateways.gateway.tsb.tetrate.io,ingressgateways.gateway.tsb.tetrate.io -n ${namespace} -o yaml`;
  if (status === 503) return `whether the bridge is ready: kubectl --context ${shellWord(context)} get kafkabridge,pods,endpointslices -n ${namespace}; ${logs}`;
  return `whether the bridge reaches Kafka: ${logs}`;
}

function unreachable({ context, namespace }: BridgeInput): string {
  return `kubectl --context ${shellWord(context)} get pods,services -n ${namespace}; firewalls between this machine and the gateway. Where only tier1 is to reach it, set checks: false`;
}
