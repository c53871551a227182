import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError } from '@platformatic/kafka';

/** How the client library says that a connection failed while the bridge said who it is; its shape was seen with a real broker. */
export function failedToSayWho(cause: Error): Error {
  return new MultipleErrors('Cannot connect to any broker.', [new NetworkError('Connection failed.', { cause: new AuthenticationError('SASL authentication failed.', { cause: new MultipleErrors('Received response with error', [cause]) }) })]);
}

/** Kafka does not take the bridge for who it says it is. */
export const wrongPassword = failedToSayWho(new ProtocolError('SASL_AUTHENTICATION_FAILED', 'invalid credentials'));
