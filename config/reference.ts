/**
 * `npm run docs:config`: writes the reference of the configuration and its JSON Schema from what validates it.
 */
import { writeFileSync } from 'node:fs';

import { editorSchema } from './reference/editor-schema.ts';
import { referencePage } from './reference/page.ts';

/** What is written, by its path in the repository. */
export function referenceFiles(): Record<string, string> {
  return {
    'docs/configuration.md': referencePage(),
    'docs/configuration.schema.json': `${JSON.stringify(editorSchema(), null, 2)}\n`,
  };
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(referenceFiles())) writeFileSync(new URL(`../${path}`, import.meta.url), text);
}
