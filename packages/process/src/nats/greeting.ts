import { createConnection } from 'node:net';

/**
 * Whether a NATS server greets at the address, as far as one can tell without a word: fails with what the socket says, or
 * after the timeout. The client library leaves its socket behind when a first connect runs into its timeout, and that keeps
 * the OS process alive; this one goes.
 */
export function greeting(host: string, port: number, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port });
    const silence = setTimeout(
      () => socket.destroy(new Error('no answer in time; does a NATS server listen there, and is it running?')),
      timeout,
    );
    let heard = '';
    socket.on('data', (data) => {
      heard += data.toString('latin1', 0, 16);
      if (heard.length < 5) return;
      if (heard.startsWith('INFO ')) resolve();
      socket.destroy(new Error('what listens there is no NATS server'));
    });
    socket.on('error', (error) => reject(error));
    socket.on('close', () => {
      clearTimeout(silence);
      reject(new Error('it closed the connection at once'));
    });
  });
}
