import type { Addon } from './addon.ts';
import { certManager } from './cert-manager.ts';
import { istio } from './istio.ts';
import { strimzi } from './strimzi/addon.ts';
import { tsb } from './tsb/addon.ts';

/** Installed in every new sandbox, all at once. */
export const addons: readonly Addon[] = [certManager, strimzi, istio, tsb];
