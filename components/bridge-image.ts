import type { OperatorConfiguration } from '../config/schema.ts';
import { asRecord } from '../config/text.ts';

/**
 * The image of a bridge whose version is asked for, from where the operator takes its own: a site that mirrors images says so in the values
 * of Strimzi's chart, as `kafkaBridge.image` or for all images (the chart's own helper `strimzi.image` puts them together like this).
 */
export function bridgeImage(version: string, { values }: Pick<OperatorConfiguration, 'values'>): string {
  const own = asRecord(asRecord(values['kafkaBridge'])['image']);
  const parts = [
    given(own['registry']) ?? values['defaultImageRegistry'] ?? 'quay.io',
    given(own['repository']) ?? values['defaultImageRepository'] ?? 'strimzi',
    given(own['name']) ?? 'kafka-bridge',
  ];
  return `${parts.flatMap((part) => given(part) ?? []).join('/')}:${version}`;
}

/** Helm takes an empty text for none. */
function given(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
