import { Check, type Finding } from './finding.ts';
import type { Look } from './look.ts';

/** Servers say whole seconds, and answers take their time. */
const tolerableMs = 3_000;
/** Certificates and tokens are valid from the minute they are made. */
const harmfulMs = 60_000;

/** Whether all clocks agree, this machine's too. */
export function judgeClocks({ clusters }: Look): Finding {
  const known = clusters.flatMap(({ context, skewMs }) => (skewMs === undefined ? [] : [{ name: context, skewMs }]));
  const check = new Check('clocks', [...known.map(({ name }) => name), 'this machine'].join(', '));
  if (known.length === 0) return check.unchecked('no cluster says what time it is');
  const all = [{ name: 'this machine', skewMs: 0 }, ...known].sort((a, b) => a.skewMs - b.skewMs);
  const [behind, ahead] = [all[0], all.at(-1)];
  const apart = (ahead?.skewMs ?? 0) - (behind?.skewMs ?? 0);
  if (apart <= tolerableMs) return check.ok(`agree within ${String(tolerableMs / 1_000)} s`);
  const found = `${ahead?.name ?? ''} is ${(apart / 1_000).toFixed(0)} s ahead of ${behind?.name ?? ''} (${known.map(({ name, skewMs }) => `${name} ${skewMs < 0 ? '' : '+'}${(skewMs / 1_000).toFixed(0)} s`).join(', ')} against this machine)`;
  const remedy = 'Let NTP set the clock that is wrong: certificates and tokens of one are not yet, or no longer, valid for the other.';
  return apart >= harmfulMs ? check.fault(found, { remedy }) : check.warning(found, { remedy });
}
