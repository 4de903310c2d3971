import { readFileSync } from 'node:fs';

import { type Future, ProcessError } from '@mezzo/process';
import { connect, headers, type JetStreamManager, type NatsConnection, nkeyAuthenticator } from 'nats';

/** What is to be closed after each test. */
export function withStores() {
  const open = new Set<{ close(): PromiseLike<unknown> }>();
  afterEach('close the stores', async () => {
    for (const store of open) await store.close();
    open.clear();
  });
  return <T extends { close(): PromiseLike<unknown> }>(store: T): T => {
    open.add(store);
    return store;
  };
}

/** A client without any of our code. */
export async function plainNats(url: string, nkeyFile?: string): Promise<NatsConnection> {
  const seed = nkeyFile === undefined ? undefined : readFileSync(nkeyFile, 'utf8').trim();
  return await connect({
    servers: url,
    ...(seed !== undefined && { authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) }),
  });
}

export async function managerOf(connection: NatsConnection): Promise<JetStreamManager> {
  return await connection.jetstreamManager();
}

/** Puts a message into the log's stream past any condition; gives its sequence. */
export async function intrude(
  connection: NatsConnection,
  stream: string,
  fields: Readonly<Record<string, string>>,
  data: Uint8Array,
): Promise<number> {
  const made = headers();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return (await connection.jetstream().publish(`mezzo.@.log.${stream}`, data, { headers: made })).seq;
}

/** The headers of a part as the format has them. */
export function partFields(kind: string, id: string, part: string): Record<string, string> {
  return { 'Mezzo-Log': '1', 'Mezzo-Kind': kind, 'Mezzo-Entry': id, 'Mezzo-Part': part };
}

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
export const text = (words: string): Uint8Array => new TextEncoder().encode(words);
export const textOf = (data: Uint8Array | undefined): string | undefined => data && new TextDecoder().decode(data);

/** The code and the words of the failure, or what it came to. */
export async function failureOf(future: Future<unknown>): Promise<ProcessError> {
  try {
    const value = await future;
    throw new Error(`did not fail, but came to ${JSON.stringify(value)}`);
  } catch (error) {
    if (error instanceof ProcessError) return error;
    throw error;
  }
}

export async function codeOf(future: Future<unknown>): Promise<string> {
  return (await failureOf(future)).code;
}
