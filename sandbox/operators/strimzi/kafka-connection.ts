import { Connection } from '@platformatic/kafka';

/** What one question to Kafka may take, ms. */
export const patience = { connectTimeout: 5000, requestTimeout: 10_000 };

/** The listener that brokers have for each other. */
export interface Bootstrap {
  readonly host: string;
  readonly port: number;
}

/** Asks Kafka what the client library's own clients do not, over one connection, which is closed again. */
export async function askKafka<T>({ host, port }: Bootstrap, clientId: string, ask: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = new Connection(clientId, patience);
  try {
    await connection.connect(host, port);
    return await ask(connection);
  } finally {
    await connection.close();
  }
}
