#!/usr/bin/env node
// Plain JavaScript on purpose: it must be readable to a Node that is too old to run the TypeScript beside it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { constants, homedir } from 'node:os';
import { fileURLToPath, URL } from 'node:url';

const oldest = '24.4';
const [major, minor] = process.versions.node.split('.').map(Number);
const bundled = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
const compiled = fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url));

if (!hasHome()) {
  console.error('kbf: HOME is not set, and the system has no user with this uid, whose home it could take.');
  console.error('Set HOME to a directory that you can write, as in HOME=/tmp/kbf.');
  process.exitCode = 2;
} else if (major > 24 || (major === 24 && minor >= 4)) {
  // Every command starts several processes that read the same modules: by this they all find them compiled.
  process.env.NODE_COMPILE_CACHE ??= compiled;
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
  const { main } = await import('./kbf.ts');
  process.exitCode = await main(process.argv.slice(2));
} else if (existsSync(bundled)) {
  runWith(bundled);
} else {
  console.error(`kbf needs Node.js ${oldest} or newer; this is ${process.versions.node} (${process.execPath}).`);
  console.error('Run `npm ci --ignore-scripts=false --include=dev` in the checkout: it installs a newer Node.js among its packages, by an install script, and kbf then uses that one.');
  process.exitCode = 2;
}

/** Packages ask for it as soon as they are imported. */
function hasHome() {
  try {
    homedir();
    return true;
  } catch {
    return false;
  }
}

/** The same command by another Node. Its IPC channel tells it when this process was killed. */
function runWith(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { child.kill(signal); });
  child.on('error', (error) => {
    console.error(`kbf could not run ${node}: ${error.message}. Run \`npm ci\` again.`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => { process.exitCode = code ?? 128 + constants.signals[signal]; });
}
