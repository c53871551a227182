import * as module from 'node:module';
import { fileURLToPath, URL } from 'node:url';

// What Pulumi starts: plain JavaScript, because a Node.js that is too old for the program cannot read its first line either,
// and would fail with an error that names neither cause nor remedy.
const needed = '24.4';
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 24 || (major === 24 && minor < 4)) {
  console.error(
    `error: this program needs Node.js ${needed} or newer, and \`node\` on PATH is ${process.versions.node} (${process.execPath}).\n` +
      'Put a newer one first on PATH. The project brings one along: PATH="$PWD/node_modules/.bin:$PATH" pulumi up',
  );
  // 32 tells Pulumi's language host that the person has been answered and nothing is to be added.
  process.exit(32);
}

// Half of the time that a run without a change takes is spent on reading the same modules again. Where the directory cannot be written they are just read.
module.enableCompileCache(fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url)));
// Pulumi takes a stack trace of every promise and has each mapped to sources. What runs here is its own source: there is nothing to map.
Error.prepareStackTrace = undefined;

export default await import('./index.ts');
