import type { AgentOptions, RequestOptions } from 'node:https';

import { type Cluster, KubeConfig } from '@kubernetes/client-node';

import { reachAddresses } from './proxy-agent.ts';

/** A kubeconfig for the client of Kubernetes, with a CA trusted as kubectl trusts it: as it is given, also where another one signed it. IP addresses are reached through proxies as well. */
export class ClientKubeConfig extends KubeConfig {
  override async applyToHTTPSOptions(options: RequestOptions): Promise<void> {
    await super.applyToHTTPSOptions(options);
    // Its agents take what they have no option for from the request.
    options.allowPartialTrustChain = true;
    reachAddresses(options.agent);
  }

  override createDispatcherOptions(cluster: Cluster | null, agentOptions: AgentOptions): ReturnType<KubeConfig['createDispatcherOptions']> {
    const made = super.createDispatcherOptions(cluster, agentOptions);
    if ('requestTls' in made) Object.assign(made.requestTls, partial);
    else if ('connect' in made) Object.assign(made.connect, partial);
    return made;
  }
}

const partial = { allowPartialTrustChain: true };
