import { Check, type Finding } from './finding.ts';
import { apiOf, type Look, notAnswering } from './look.ts';

interface Node {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

const labels = { region: 'topology.kubernetes.io/region', zone: 'topology.kubernetes.io/zone' } as const;

/** Whether nodes are where the settings say: proxies take their place from these labels, and failover goes by it. */
export async function judgeLocalities(look: Look): Promise<readonly Finding[]> {
  const all = await Promise.all(look.configuration.regions.map(async ({ name, context, locality }, index) => {
    if (locality === undefined) return [];
    const check = new Check('locality', name);
    const api = apiOf(look, context);
    if (api === undefined) return [check.unchecked(notAnswering)];
    return await check.look(async () => {
      const nodes = await api.list<Node>('/api/v1/nodes');
      if (nodes.length === 0) return check.unchecked('its cluster has no nodes yet');
      const elsewhere = (part: keyof typeof labels): Node[] => nodes.filter((node) => locality[part] !== undefined && node.metadata.labels?.[labels[part]] !== locality[part]);
      const found = (part: keyof typeof labels, lost: readonly Node[]): string =>
        `${lost.map((node) => `${node.metadata.name} (${node.metadata.labels?.[labels[part]] ?? 'not labelled'})`).join(', ')}: ${labels[part]} is not ${locality[part] ?? ''}, as regions[${String(index)}].locality.${part} says`;
      const remedy = 'Correct the setting, or label the nodes as they are (clouds do), and restart the proxies on them.';
      const lost = elsewhere('region');
      if (lost.length > 0) return check.fault(found('region', lost), { remedy });
      // A region may spread over more zones than the one that is said of it.
      const otherZone = elsewhere('zone');
      if (otherZone.length === nodes.length) return check.warning(found('zone', otherZone), { remedy });
      return check.ok(`all ${String(nodes.length)} nodes are in ${locality.region}`);
    });
  }));
  return all.flat();
}
