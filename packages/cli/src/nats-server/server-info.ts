import { connect } from 'node:net';

/** The part of a server's greeting that tells who answered. */
export interface ServerInfo {
  readonly name: string;
  readonly jetstream: boolean;
}

/** Longer than any greeting: who sends more without a line end is no NATS server. */
const GREETING_LIMIT = 64 * 1024;

/** Connects to 127.0.0.1:port and reads the INFO line every NATS server greets with; undefined if none comes. */
export function readServerInfo(port: number, timeoutMs: number): Promise<ServerInfo | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: timeoutMs });
    let greeting = '';
    const settle = (info: ServerInfo | undefined) => {
      socket.destroy();
      resolve(info);
    };
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      greeting += chunk;
      const end = greeting.indexOf('\r\n');
      if (end >= 0) settle(parseInfo(greeting.slice(0, end)));
      else if (greeting.length > GREETING_LIMIT) settle(undefined);
    });
    socket.on('timeout', () => settle(undefined));
    socket.on('error', () => settle(undefined));
    socket.on('close', () => resolve(undefined));
  });
}

function parseInfo(line: string): ServerInfo | undefined {
  if (!line.startsWith('INFO ')) return undefined;
  let info: unknown;
  try {
    info = JSON.parse(line.slice('INFO '.length));
  } catch {
    return undefined;
  }
  if (typeof info !== 'object' || info === null) return undefined;
  if (!('server_name' in info) || typeof info.server_name !== 'string') return undefined;
  return { name: info.server_name, jetstream: 'jetstream' in info && info.jetstream === true };
}
