import type { GroupPartitionsAssigner } from '@platformatic/kafka';

/**
 * Kafka's `range` strategy, the default of its own consumers, so that this bridge can share a group with the official one:
 * each topic's partitions in order over the members that subscribed to it, sorted by id; the first ones get one more.
 */
export const rangeAssignor: GroupPartitionsAssigner = (_self, members, topics, metadata) => {
  const assignments = new Map([...members.keys()].sort().map((memberId) => [memberId, new Map<string, { topic: string; partitions: number[] }>()]));
  for (const topic of topics) {
    const subscribers = [...members.values()].filter((member) => member.topics?.includes(topic)).map(({ memberId }) => memberId).sort();
    const count = metadata.topics.get(topic)?.partitionsCount ?? 0;
    let next = 0;
    for (const [index, memberId] of subscribers.entries()) {
      const share = Math.floor(count / subscribers.length) + (index < count % subscribers.length ? 1 : 0);
      const partitions = Array.from({ length: share }, (_each, offset) => next + offset);
      next += share;
      if (share > 0) assignments.get(memberId)?.set(topic, { topic, partitions });
    }
  }
  return [...assignments].map(([memberId, own]) => ({ memberId, assignments: own }));
};
