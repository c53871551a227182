import { failoverLabel } from '../config/names.ts';
import type { BridgeConfiguration } from '../config/schema.ts';
import { bridgeHosts } from './bridge-hosts.ts';
import { bridgeTraffic, type Resilience, tier1Traffic } from './resilience.ts';
import type { UpstreamTrafficSetting, WorkspaceSettingSpec } from './resources/tsb.ts';

export interface SettingsRegion {
  /** Where its nodes are; when every region says so, failover goes from each region to the next. */
  readonly locality?: { readonly region: string } | undefined;
  /** Name of its gateway. */
  readonly gateway: string;
}

/** Each region's gateway reaches the peers' bridges by their gateways, for Services that carry the failover label. */
export function bridgesSetting(bridge: BridgeConfiguration, regions: readonly SettingsRegion[], resilience: Resilience): WorkspaceSettingSpec {
  return {
    ...failover(regions, resilience),
    defaultEastWestGatewaySettings: [
      { workloadSelector: { namespace: bridge.namespace, labels: gatewayLabels(regions) }, exposedServices: [{ serviceLabels: failoverLabel }] },
    ],
    ...outbound(bridgeTraffic(bridgeHosts(bridge), resilience)),
  };
}

export function edgeSetting(resilience: Resilience): WorkspaceSettingSpec {
  return outbound(tier1Traffic(resilience));
}

/** The first setting that names a Service is the only one that counts for it, so one selector has to mean the gateways of all regions. */
function gatewayLabels(regions: readonly SettingsRegion[]): Record<string, string> {
  const [app, ...others] = [...new Set(regions.map(({ gateway }) => gateway))];
  // TSB puts this label on every gateway; there is no other in the namespace.
  return app !== undefined && others.length === 0 ? { app } : { istio: 'ingressgateway' };
}

function outbound(upstreamTrafficSettings: UpstreamTrafficSetting[] | undefined): Pick<WorkspaceSettingSpec, 'defaultTrafficSetting'> {
  return upstreamTrafficSettings === undefined ? {} : { defaultTrafficSetting: { outbound: { upstreamTrafficSettings } } };
}

/**
 * From each region to the next, the last to the first, unless one does not say where it is or two are in one place: then it is TSB's own
 * order, which is also said, as the organization may have another, unless TSB is to decide.
 */
function failover(regions: readonly SettingsRegion[], { retries }: Resilience): Pick<WorkspaceSettingSpec, 'failoverSettings'> {
  const places = regions.flatMap(({ locality }) => (locality === undefined ? [] : [locality.region]));
  if (places.length < regions.length || new Set(places).size < places.length) return retries === 'tsb-default' ? {} : { failoverSettings: { topologyChoice: 'CLUSTER' } };
  return { failoverSettings: { topologyChoice: 'CLUSTER', regionalFailover: places.map((from, index) => ({ from, to: places[(index + 1) % places.length] ?? from })) } };
}
