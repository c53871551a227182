import { BlockList, isIP } from 'node:net';

/**
 * The proxy that the environment names for a server; undefined where it is reached without one. As Go's programs understand HTTPS_PROXY and NO_PROXY,
 * kubectl and Pulumi's provider among them: what they reach has to be reached here, and nothing else.
 */
export function environmentProxy(server: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (!URL.canParse(server)) return undefined;
  const { protocol, hostname, port } = new URL(server);
  const host = hostname.replace(/^\[|\]$/g, '');
  const proxy = variable(env, protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (proxy === '' || host === 'localhost' || isWithin(host, '127.0.0.0', 8) || isWithin(host, '::1', 128)) return undefined;
  const place = { host, port: port === '' ? (protocol === 'https:' ? '443' : '80') : port };
  if (variable(env, 'NO_PROXY').split(',').some((entry) => isExempt(place, entry.trim().toLowerCase()))) return undefined;
  return /^(https?|socks5h?):\/\//.test(proxy) ? proxy : `http://${proxy}`;
}

function variable(env: NodeJS.ProcessEnv, name: string): string {
  return [env[name], env[name.toLowerCase()]].find((value) => value !== undefined && value !== '') ?? '';
}

/** An entry is `*`, a network, or an address or a domain with all below it, both of them perhaps with a port; `.domain` is only what is below. */
function isExempt({ host, port }: { host: string; port: string }, entry: string): boolean {
  if (entry === '*') return true;
  const [, network = '', bits = ''] = /^(.+)\/(\d+)$/.exec(entry) ?? [];
  if (isIP(network) !== 0) return isWithin(host, network, Number(bits));
  const [, inBrackets, before, itsPort = port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(entry) ?? [];
  const name = (inBrackets ?? before ?? entry).replace(/^\*\./, '.');
  if (name === '' || itsPort !== port) return false;
  if (isIP(name) !== 0) return isWithin(host, name, isIP(name) === 4 ? 32 : 128);
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

function isWithin(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (isIP(host) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
