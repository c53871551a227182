import type { Addon } from './addon.ts';

/** Installed in every new sandbox, all at once. */
export const addons: readonly Addon[] = [];
