import type { Log } from './engine-log.ts';
import { privateKey } from './private-key.ts';
import { selfSignedCert } from './self-signed-cert.ts';
import { StandIn } from './stand-in.ts';
import { pluginVersions } from './versions.ts';

/** Pulumi's plugin for TLS keys and certificates, without requests and what a given authority signs. */
export function tlsPlugin(log: Log): StandIn {
  return new StandIn({
    plugin: 'tls', version: pluginVersions.tls, log,
    types: { 'tls:index/privateKey:PrivateKey': privateKey, 'tls:index/selfSignedCert:SelfSignedCert': selfSignedCert },
  });
}
