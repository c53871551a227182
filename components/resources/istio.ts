import { customResource } from './custom-resource.ts';

export interface ConfigPatch {
  readonly applyTo: 'CLUSTER' | 'ROUTE_CONFIGURATION' | 'HTTP_ROUTE' | 'LISTENER' | 'NETWORK_FILTER';
  readonly match: GatewayMatch | SidecarMatch;
  /** A piece of Envoy's own configuration, with Envoy's field names. */
  readonly patch: { readonly operation: 'MERGE'; readonly value: Record<string, unknown> };
}

interface GatewayMatch {
  readonly context: 'GATEWAY';
  readonly cluster?: { readonly service: string };
  readonly routeConfiguration?: { readonly vhost: { readonly route: { readonly action: 'ROUTE' } } };
  readonly listener?: { readonly filterChain: { readonly filter: { readonly name: string } } };
}

interface SidecarMatch {
  readonly context: 'SIDECAR_INBOUND';
  readonly cluster?: { readonly portNumber: number };
  readonly listener?: { readonly filterChain: { readonly destinationPort: number; readonly filter: { readonly name: string } } };
}

export interface EnvoyFilterSpec {
  /** Those of a higher one are applied later; 0 when absent. */
  readonly priority?: number;
  readonly workloadSelector: { readonly labels: Record<string, string> };
  readonly configPatches: readonly ConfigPatch[];
}

export class EnvoyFilter extends customResource<EnvoyFilterSpec>('networking.istio.io/v1alpha3', 'EnvoyFilter') {}
