import { type AdvertisingKafka, listenerHosts } from '../listener-hosts.ts';
import type { Readable } from '../readable.ts';

/** What decides the names that brokers advertise, if all of it is right. */
export function advertising({ kafka }: Readable): AdvertisingKafka | undefined {
  const { name, namespace, domain, brokers, listeners } = kafka ?? {};
  if (name === undefined || namespace === undefined || domain === undefined || brokers === undefined || listeners === undefined) return undefined;
  const whole = listeners.flatMap((listener) => {
    const { name: called, type, port } = listener ?? {};
    return called === undefined || type === undefined || port === undefined ? [] : [{ name: called, type, port }];
  });
  return whole.length < listeners.length ? undefined : { name, namespace, domain, brokers, listeners: whole };
}

/** Every name that brokers advertise outside their cluster. */
export function advertisedHosts(kafka: AdvertisingKafka): string[] {
  return kafka.listeners.filter(({ type }) => type !== 'internal').flatMap((listener) => {
    const { bootstrap, brokers } = listenerHosts(kafka, listener);
    return [bootstrap, ...brokers];
  });
}
