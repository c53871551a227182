import type { Cluster } from '../cluster.ts';

/** As which a drill's workers stand in the journal: no fault, but undone like one, as nobody else ends the load of a driver that was killed. */
export const workersEntry = 'workers';

/** What it takes to end workers: their pods and the ConfigMap of their program go with their Job. */
export interface WorkersLeft {
  context: string;
  namespace: string;
  /** Name of the Job. */
  name: string;
}

/** Deletes the Job. False when there was none (any more). */
export async function endWorkers(cluster: Cluster, { namespace, name }: Omit<WorkersLeft, 'context'>): Promise<boolean> {
  return await cluster.askFor(`Job ${namespace}/${name} cannot be deleted`, () => cluster.batch.deleteNamespacedJob({ name, namespace, propagationPolicy: 'Background' })) !== undefined;
}
