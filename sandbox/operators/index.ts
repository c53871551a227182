import type { Addon } from './addon.ts';
import { istio } from './istio.ts';
import { tsb } from './tsb/addon.ts';

/** Installed in every new sandbox, all at once. */
export const addons: readonly Addon[] = [istio, tsb];
