import engine from '@pulumi/pulumi/proto/engine_pb.js';
import { getEngine, resetOptions } from '@pulumi/pulumi/runtime/settings.js';

/** Where a plugin tells the person something about a resource. */
export interface Log {
  /** Stays to be read. */
  info(urn: string, text: string): void;
  /** Is shown while the resource is worked on. */
  status(urn: string, text: string): void;
}

/** The engine's own log; the engine names its address to every plugin it starts. */
export function engineLog(address: string | undefined): Log {
  if (address !== undefined) resetOptions('', '', -1, address, '', false, '');
  const send = (urn: string, text: string, ephemeral: boolean): void => {
    const request = new engine.LogRequest();
    request.setSeverity(engine.LogSeverity.INFO);
    request.setUrn(urn);
    request.setMessage(text);
    request.setEphemeral(ephemeral);
    // What cannot be told is no reason to fail.
    getEngine()?.log(request, () => undefined);
  };
  return { info: (urn, text) => { send(urn, text, false); }, status: (urn, text) => { send(urn, text, true); } };
}
