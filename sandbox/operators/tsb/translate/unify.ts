import type { ClusterChoice, GatewaySpec, Rule, Server, TsbObject, WorkloadSelector } from '../model.ts';

/** A Gateway, IngressGateway or Tier1Gateway in the unified Gateway's form; undefined for other kinds. */
export function gatewaySpec({ kind, apiVersion, spec }: Pick<TsbObject, 'kind' | 'apiVersion' | 'spec'>): GatewaySpec | undefined {
  if (apiVersion !== 'gateway.tsb.tetrate.io/v2') return undefined;
  if (kind === 'Gateway') return spec as GatewaySpec;
  if (kind === 'IngressGateway') return ingress(spec as IngressGatewaySpec);
  if (kind === 'Tier1Gateway') return tier1(spec as Tier1GatewaySpec);
  return undefined;
}

type IngressRule = Omit<Rule, 'route'> & { readonly route?: { readonly host: string; readonly port?: number } };
interface IngressGatewaySpec {
  readonly workloadSelector: WorkloadSelector;
  readonly http?: readonly (Omit<Server, 'routing'> & { readonly routing: { readonly rules: readonly IngressRule[] } })[];
}
interface Tier1GatewaySpec {
  readonly workloadSelector: WorkloadSelector;
  readonly externalServers?: readonly (Omit<Server, 'routing'> & { readonly clusters?: readonly ClusterChoice[]; readonly redirect?: Rule['redirect'] })[];
}

function ingress({ workloadSelector, http }: IngressGatewaySpec): GatewaySpec {
  const rule = ({ route, ...rest }: IngressRule): Rule => (route ? { ...rest, route: { serviceDestination: route } } : rest);
  return { workloadSelector, http: (http ?? []).map((server) => ({ ...server, routing: { rules: server.routing.rules.map(rule) } })) };
}

function tier1({ workloadSelector, externalServers }: Tier1GatewaySpec): GatewaySpec {
  const http = (externalServers ?? []).map(({ clusters, redirect, ...server }): Server => ({
    ...server,
    routing: { rules: [redirect ? { redirect } : { route: { clusterDestination: clusters ? { clusters } : {} } }] },
  }));
  return { workloadSelector, http };
}
