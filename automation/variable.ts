/** An environment variable; undefined where it is empty, too, which Pulumi takes for not set. */
export function variable(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}
