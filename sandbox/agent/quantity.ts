import { availableParallelism, totalmem } from 'node:os';
import type { V1Container } from '@kubernetes/client-node';
import { UserError } from '../../errors.ts';
import type { Json } from './types.ts';

const suffixes: Record<string, number> = {
  n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50,
};

/** A Kubernetes quantity (`100m`, `2Gi`) as a number. @throws UserError when it is none. */
export function quantity(text: string): number {
  const [, digits = '', suffix = ''] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = suffixes[suffix];
  if (digits === '' || factor === undefined) throw new UserError(`"${text}" is not a quantity.`);
  return Number(digits) * factor;
}

/** The value of a resourceFieldRef: rounded up, in units of the divisor (0 stands for 1); without a limit it is the node's. */
export function resourceValue(container: Json<V1Container>, resource: string, divisor: number): string {
  const [kind = '', name = ''] = resource.split('.');
  const { limits = {}, requests = {} } = container.resources ?? {};
  const node: Record<string, number> = { cpu: availableParallelism(), memory: totalmem() };
  const given = (kind === 'limits' ? limits : requests)[name];
  const value = given === undefined ? (kind === 'limits' ? node[name] ?? 0 : 0) : quantity(given);
  return String(Math.ceil(value / (divisor || 1) - 1e-9));
}
