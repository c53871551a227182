import { isIP, isIPv6 } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

interface Server {
  readonly host: string;
  readonly servername?: string;
  readonly checkServerIdentity?: typeof checkServerIdentity;
}

/** What hpagent adds to an agent of Node's. */
interface HttpProxyAgent {
  readonly proxy: URL;
  createConnection(server: Server, callback: unknown): unknown;
}

/** What socks-proxy-agent does. */
interface SocksProxyAgent {
  readonly proxyUrl: string;
  connect(request: unknown, server: Server): unknown;
}

/**
 * Has an agent that @kubernetes/client-node makes for a proxy reach IP addresses. One for HTTP names a server's of IPv6 to the proxy without brackets, where they have
 * to be, and looks up the proxy's own in brackets; one for SOCKS wants a certificate for `localhost`. Leaves any other agent as it is, and one that was given before.
 */
export function reachAddresses(agent: unknown): void {
  if (isHttp(agent) && !Object.hasOwn(agent, 'createConnection')) {
    Object.defineProperty(agent.proxy, 'hostname', { value: withoutBrackets(agent.proxy.hostname) });
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (server, callback) => connect(isIPv6(server.host) ? { checkServerIdentity: checkWithoutBrackets, ...server, host: `[${server.host}]` } : server, callback);
  }
  if (isSocks(agent) && !Object.hasOwn(agent, 'connect')) {
    const connect = agent.connect.bind(agent);
    agent.connect = (request, server) => connect(request, isIP(server.host) > 0 && !server.servername
      ? { checkServerIdentity: (_, certificate) => checkServerIdentity(server.host, certificate), ...server }
      : server);
  }
}

function isHttp(agent: unknown): agent is HttpProxyAgent {
  return (agent as { proxy?: unknown } | undefined)?.proxy instanceof URL;
}

function isSocks(agent: unknown): agent is SocksProxyAgent {
  return typeof (agent as { proxyUrl?: unknown } | undefined)?.proxyUrl === 'string';
}

/** What a certificate has to be for is taken from the option that goes to the proxy, too. */
function checkWithoutBrackets(host: string, certificate: PeerCertificate): Error | undefined {
  return checkServerIdentity(withoutBrackets(host), certificate);
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
