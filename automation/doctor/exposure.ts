import type { InstalledKafka } from '../../config/schema.ts';
import { Check, type Finding } from './finding.ts';
import type { Look } from './look.ts';

type Listener = InstalledKafka['listeners'][number];

/** Whether Kafka asks who comes in, and whether clients are encrypted on their way to tier1: neither is so unless the settings ask for it. Nobody reaches a sandbox from outside. */
export function judgeExposure({ configuration: { kafka, tier1 }, isSandbox }: Pick<Look, 'configuration' | 'isSandbox'>): Finding[] {
  if (isSandbox) return [];
  const listeners = kafka.existing === undefined ? kafka.listeners : [];
  const edge = new Check('exposure', 'tier1');
  return [
    ...listeners.flatMap((listener, index) => (listener.type === 'internal' ? [] : [judgeListener(listener, `kafka.listeners[${String(index)}]`)])),
    tier1.tls === undefined
      ? edge.warning('serves plain HTTP: records can be read on the way from clients', { remedy: 'Set tier1.tls.' })
      : edge.ok('serves HTTPS'),
  ];
}

function judgeListener(listener: Listener, path: string): Finding {
  const check = new Check('exposure', path);
  const { name, type, authentication } = listener;
  if (authentication !== undefined) return check.ok(`the listener ${name} asks who comes in, by ${authentication}`);
  // Which way a class of load balancers takes by itself is its controller's matter.
  const isPublic = type === 'loadbalancer' && listener.class === undefined && !isInternal(listener);
  const remedy = `Set ${path}.authentication before the first up, or after a destroy (docs/authentication.md)${isPublic ? `, or keep its load balancer inside by ${path}.annotations` : ''}.`;
  return check.warning(`the listener ${name} asks nobody who they are${isPublic ? ', and its load balancer is public as far as its annotations say' : ''}: whoever reaches it may read and write every record`, { remedy });
}

/** In the words of GKE, AWS, Azure or OpenStack. */
function isInternal({ annotations }: Listener): boolean {
  return Object.entries(annotations).some(([key, value]) => /load-balancer/.test(key) && (/^internal$/i.test(value) || (/internal(-load-balancer)?$/.test(key) && !/^(false)?$/i.test(value))));
}
