import { routeNames } from '../listener-hosts.ts';
import { bridgeServices, listenerService, longestHost, longestLabel, nodePool, regionGroup, regionHostname } from '../names.ts';
import type { Finding } from '../problems.ts';
import type { Readable } from '../readable.ts';
import type { Path } from '../text.ts';
import { advertisedHosts, advertising } from './advertising.ts';

export const nameRules = [
  'Names that are made of configured ones keep to 63 characters: Kafka’s pods and Services, the bridge’s Services, `bridges-<region>`, the first part of a Route’s host.',
  'Host names that are made of configured ones keep to 253 characters.',
];

/** Names made of configured ones have limits that the parts cannot know. */
export function checkNames(configuration: Readable): Finding[] {
  return [...kafkaNames(configuration), ...hostNames(configuration), ...bridgeNames(configuration), ...regionNames(configuration)];
}

/** The longest of the names, if it is too long. */
function tooLong(path: Path, names: readonly string[], limit: number): Finding[] {
  const [longest = ''] = names.toSorted((a, b) => b.length - a.length);
  if (longest.length <= limit) return [];
  return [{ path, allowed: `shorter by ${longest.length - limit}: it gives the name ${clipped(longest)}, and ${limit} characters is the limit` }];
}

function clipped(name: string): string {
  return name.length > 100 ? `${name.slice(0, 60)}…${name.slice(-20)}` : name;
}

/** Pods and Services of Kafka, and the labels that carry their names. */
function kafkaNames({ kafka }: Readable): Finding[] {
  const { name, brokers = 1, listeners = [] } = kafka ?? {};
  if (name === undefined) return [];
  const ofListeners = listeners.flatMap((listener) => {
    if (listener?.name === undefined || listener.port === undefined || listener.type === 'internal') return [];
    return [listenerService(name, listener.name), routeNames(name, { name: listener.name, port: listener.port }).broker(brokers - 1)];
  });
  return tooLong(['kafka', 'name'], [`${name}-${nodePool}-${brokers - 1}`, ...ofListeners], longestLabel);
}

function hostNames(configuration: Readable): Finding[] {
  const kafka = advertising(configuration);
  if (kafka === undefined) return [];
  const hosts = advertisedHosts(kafka);
  const labels = hosts.map((host) => host.split('.')[0] ?? '');
  // Only a Route's host has a first label that is made of names.
  return [...tooLong(['kafka', 'domain'], hosts, longestHost), ...tooLong(['kafka', 'namespace'], labels, longestLabel)];
}

function bridgeNames({ bridge }: Readable): Finding[] {
  if (bridge?.name === undefined) return [];
  return tooLong(['bridge', 'name'], [`${bridge.name}-bridge-service`, ...Object.values(bridgeServices(bridge.name))], longestLabel);
}

function regionNames({ regions = [], hostname }: Readable): Finding[] {
  return regions.flatMap((region, index) => {
    if (region?.name === undefined) return [];
    const path = ['regions', index, 'name'];
    return [...tooLong(path, [regionGroup(region.name)], longestLabel), ...(hostname === undefined ? [] : tooLong(path, [regionHostname(region.name, hostname)], longestHost))];
  });
}
