import type { AdvertisingKafka } from '../listener-hosts.ts';
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
