import { createConnection } from 'node:net';

/** Longer than any server's INFO line: what is longer is something else. */
const infoLimit = 64 * 1024;

/** What a server says of itself before anybody has signed in. */
export interface Greeting {
  /** It talks TLS only. */
  readonly wantsTls: boolean;
  /** It looks at the certificates of its clients. */
  readonly verifies: boolean;
}

/**
 * The greeting of the NATS server at the address, as far as one can tell without a word: fails with what the socket says, or
 * after the timeout. The client library leaves its socket behind when a first connect runs into its timeout, and that keeps
 * the OS process alive; this one goes.
 */
export function greeting(host: string, port: number, timeout: number): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port });
    const silence = setTimeout(
      () => socket.destroy(new Error('no answer in time; does a NATS server listen there, and is it running?')),
      timeout,
    );
    let heard = '';
    socket.on('data', (data) => {
      heard += data.toString('latin1');
      const whole = heard.includes('\r\n');
      if (!whole && 'INFO '.startsWith(heard.slice(0, 5)) && heard.length < infoLimit) return;
      const greeted = whole ? greetingIn(heard) : undefined;
      if (greeted !== undefined) resolve(greeted);
      socket.destroy(new Error('what listens there is no NATS server'));
    });
    socket.on('error', (error) => reject(error));
    socket.on('close', () => {
      clearTimeout(silence);
      reject(new Error('it closed the connection at once'));
    });
  });
}

function greetingIn(heard: string): Greeting | undefined {
  const [, json] = /^INFO (\{.*\})\s*\r\n/.exec(heard) ?? [];
  if (json === undefined) return undefined;
  try {
    const info: unknown = JSON.parse(json);
    const says = (what: string): boolean =>
      typeof info === 'object' && info !== null && Reflect.get(info, what) === true;
    return { wantsTls: says('tls_required'), verifies: says('tls_verify') };
  } catch {
    return undefined;
  }
}
