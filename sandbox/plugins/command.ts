import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Log } from './engine-log.ts';
import { run } from './run.ts';
import type { Written } from './run.ts';
import { StandIn } from './stand-in.ts';
import type { ResourceType, Task } from './stand-in.ts';
import { secret } from './values.ts';
import type { Bag } from './values.ts';
import { pluginVersions } from './versions.ts';

const inputs = {
  create: z.string().optional(),
  update: z.string().optional(),
  delete: z.string().optional(),
  triggers: z.array(z.unknown()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  dir: z.string().optional(),
  stdin: z.string().optional(),
  interpreter: z.array(z.string()).optional(),
  logging: z.enum(['stdout', 'stderr', 'stdoutAndStderr', 'none']).optional(),
  addPreviousOutputInEnv: z.boolean().optional(),
};
const Inputs = z.object(inputs);

const nothing: Written = { stdout: '', stderr: '' };

/** A command that is run here when the resource is made, changed or removed. */
const localCommand: ResourceType = {
  inputs,
  // Even where there is an `update`: so does the official plugin, whatever its documentation says.
  replaceOn: ['triggers'],
  async create(task) {
    const { create } = Inputs.parse(task.inputs);
    const written = create === undefined ? nothing : await runFor(task, create, nothing);
    return { id: `${task.name}${randomBytes(4).toString('hex')}`, outputs: outputs(task, written) };
  },
  async update(task, state) {
    const { create, update = create } = Inputs.parse(task.inputs);
    const before = writtenBefore(state);
    return outputs(task, update === undefined ? before : await runFor(task, update, before));
  },
  async delete(task, state) {
    const { delete: command } = Inputs.parse(task.inputs);
    if (command !== undefined) await runFor(task, command, writtenBefore(state));
  },
};

/** Pulumi's plugin for commands, without commands on other machines. */
export function commandPlugin(log: Log): StandIn {
  return new StandIn({ plugin: 'command', version: pluginVersions.command, types: { 'command:local:Command': localCommand }, log });
}

async function runFor(task: Task, command: string, before: Written): Promise<Written> {
  const { environment, dir, stdin, interpreter, logging = 'stdoutAndStderr', addPreviousOutputInEnv = true } = Inputs.parse(task.inputs);
  return await run(command, {
    environment: { ...environment, ...(addPreviousOutputInEnv ? previous(before) : {}) },
    ...(dir === undefined ? {} : { dir }), ...(stdin === undefined ? {} : { stdin }), ...(interpreter === undefined ? {} : { interpreter }),
    signal: task.signal,
    onLine(stream, line) {
      if (logging === stream || logging === 'stdoutAndStderr') task.log.status(task.urn, line);
    },
  });
}

function previous({ stdout, stderr }: Written): Record<string, string> {
  return { ...(stdout === '' ? {} : { PULUMI_COMMAND_STDOUT: stdout }), ...(stderr === '' ? {} : { PULUMI_COMMAND_STDERR: stderr }) };
}

/** A command may print what it was given, so what it wrote is as secret. */
function outputs({ sensitive }: Task, { stdout, stderr }: Written): Bag {
  return sensitive ? { stdout: secret(stdout), stderr: secret(stderr) } : { stdout, stderr };
}

function writtenBefore({ stdout, stderr }: Bag): Written {
  return { stdout: typeof stdout === 'string' ? stdout : '', stderr: typeof stderr === 'string' ? stderr : '' };
}
