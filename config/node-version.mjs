// Loaded by Pulumi.yaml before the program, and therefore plain JavaScript that an old Node.js can read:
// without it, an old Node.js fails on the first .ts file with an error that names neither cause nor remedy.
const needed = 24;
const [major] = process.versions.node.split('.').map(Number);

if (major < needed) {
  console.error(
    `error: this program needs Node.js ${needed} or newer; \`node\` on PATH is ${process.versions.node} (${process.execPath}).\n` +
      'Put a newer one first on PATH. The project brings one along: PATH="$PWD/node_modules/.bin:$PATH" pulumi up',
  );
  // 32 tells Pulumi's language host that the person has been answered and nothing is to be added.
  process.exit(32);
}
