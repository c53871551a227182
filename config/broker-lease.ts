/** How long Kafka takes a broker that is not heard of for alive, and how often that tells of itself, unless `kafka.config` says otherwise. Milliseconds. */
export const brokerLease = {
  // A record waits for a broker that died until that counts as dead, in every partition that it holds; with Kafka's 9 s bridges give up before (deliveryTimeoutMs), and nobody knows what became of it.
  'broker.session.timeout.ms': 6_000,
  // A quarter of it, about what Kafka's own (2 s) is.
  'broker.heartbeat.interval.ms': 1_500,
} as const;
