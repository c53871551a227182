import * as pulumi from '@pulumi/pulumi';

import { type ClusterReader, nameOf, type ObjectReference } from '../../components/cluster-reader.ts';
import { placeholder } from './placeholders.ts';

/** An object that the program reads a field of, past the engine. */
export interface Read extends ObjectReference {
  readonly context: string;
}

/**
 * Takes the place of what operators answer: what it is stands where it will be. Anything else is as in a preview of clusters that cannot be asked.
 * @param reads gets every object whose fields are awaited
 */
export function offlineReader(context: string, reads: Read[]): ClusterReader {
  const cannotAsk = (): Promise<never> => Promise.reject(new Error(`no cluster is contacted, nor ${context}`));
  return {
    read: cannotAsk,
    served: cannotAsk,
    awaitField: (reference: ObjectReference, { what }: { what: string }) => {
      reads.push({ context, ...reference });
      return pulumi.output(placeholder(`${what} of ${nameOf(reference)} in cluster ${context}`)) as pulumi.Output<never>;
    },
  };
}
