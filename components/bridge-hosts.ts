import { bridgeServices, serviceHost, strimziBridgeService } from '../config/names.ts';
import type { BridgeConfiguration } from '../config/schema.ts';

/** Fully qualified names of the Services by which gateways reach a bridge. */
export interface BridgeHosts {
  /** The one that a peer region may serve as well. */
  readonly shared: string;
  /** The one of the own region only, for consumers; undefined where there is none and consumers fail over with the rest. */
  readonly local: string | undefined;
}

export function bridgeHosts({ name, namespace, service }: Pick<BridgeConfiguration, 'name' | 'namespace' | 'service'>): BridgeHosts {
  if (service === 'strimzi') return { shared: serviceHost(strimziBridgeService(name), namespace), local: undefined };
  const { shared, local } = bridgeServices(name);
  return { shared: serviceHost(shared, namespace), local: serviceHost(local, namespace) };
}
