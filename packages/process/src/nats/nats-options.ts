import { readFileSync } from 'node:fs';

import { type ConnectionOptions, credsAuthenticator, nkeyAuthenticator } from 'nats';

import { toMilliseconds, type Duration } from '../duration.ts';
import { messageOf, ProcessError } from '../errors.ts';

/** Who we are to the broker; at most one kind. Files are read again at every connect, so credentials can be rotated. */
export interface NatsCredentials {
  /** File that holds an nkey seed (`SU…`) on its first line. */
  readonly nkeySeedFile?: string;
  /** The nkey seed itself. */
  readonly nkeySeed?: string;
  /** A `.creds` file: JWT and seed. */
  readonly credentialsFile?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
}

/** Paths of PEM files, or their text. */
export interface NatsTls {
  readonly ca?: string;
  readonly caFile?: string;
  readonly cert?: string;
  readonly certFile?: string;
  readonly key?: string;
  readonly keyFile?: string;
  readonly handshakeFirst?: boolean;
}

export interface NatsOptions extends NatsCredentials {
  /** One or more URLs such as `nats://127.0.0.1:4222`, with `user:password@` or `token@` if need be. */
  readonly servers: string | readonly string[];
  /** First tokens of every subject; nodes see only nodes of the same prefix. Default `mezzo`. */
  readonly prefix?: string;
  readonly tls?: NatsTls;
  /** Between attempts to reconnect; they never end. Default 250 ms. */
  readonly reconnectWait?: Duration;
  /** How long one attempt to connect may take. Default 2 s. */
  readonly connectTimeout?: Duration;
  /** How often the broker is pinged. Default 1 s. */
  readonly pingInterval?: Duration;
  /** So many unanswered pings mean that the broker is frozen or cut off, and the connection is made anew. Default 2. */
  readonly maxPingOut?: number;
}

/** The options with their defaults, checked. */
export interface Settings {
  readonly servers: readonly string[];
  /** The servers as they may be shown: without credentials. */
  readonly shown: string;
  readonly prefix: string;
  readonly reconnectWait: number;
  readonly connectTimeout: number;
  /** Without a TLS handshake first, a server speaks first. */
  readonly greets: boolean;
  connection(node: string): ConnectionOptions;
}

/** Throws TRANSPORT_OPTION_INVALID. */
export function settings(options: NatsOptions): Settings {
  const { prefix = 'mezzo' } = options;
  const servers = typeof options.servers === 'string' ? options.servers.split(',') : options.servers;
  const urls = servers.map((server) => parseServer(server.trim()));
  const [first] = urls;
  if (first === undefined) throw invalid('servers', 'an empty list', 'at least one URL such as nats://127.0.0.1:4222');
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(prefix)) {
    throw invalid('prefix', `'${prefix}'`, "words of letters, digits, '-' and '_', joined by dots");
  }
  const reconnectWait = toMilliseconds(options.reconnectWait ?? 250);
  const connectTimeout = toMilliseconds(options.connectTimeout ?? 2000);
  const pingInterval = toMilliseconds(options.pingInterval ?? 1000);
  const maxPingOut = options.maxPingOut ?? 2;
  const credentials = { ...fromUrl(first), ...options };
  checkCredentials(credentials);
  const hosts = urls.map((url) => url.host);
  return {
    servers: hosts,
    shown: urls.map((url) => `${url.protocol}//${url.host}`).join(', '),
    prefix,
    reconnectWait,
    connectTimeout,
    greets: options.tls?.handshakeFirst !== true,
    connection: (node) => ({
      servers: hosts,
      name: node,
      ...authentication(credentials),
      ...(options.tls === undefined ? {} : { tls: { ...options.tls } }),
      timeout: connectTimeout,
      reconnectTimeWait: reconnectWait,
      reconnectJitter: reconnectWait / 4,
      maxReconnectAttempts: -1,
      pingInterval,
      maxPingOut,
      noAsyncTraces: true,
      // Names are resolved by the socket: a list of addresses kept from the first look-up grows stale.
      resolve: false,
    }),
  };
}

function parseServer(server: string): URL {
  const text = server.includes('://') ? server : `nats://${server}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The text is not shown whole: it may hold a password.
  if (url === undefined || url.host === '' || !/^(nats|tls):$/.test(url.protocol)) {
    throw invalid('servers', `'${withoutCredentials(text)}'`, 'URLs such as nats://127.0.0.1:4222');
  }
  return url;
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/.*@/, '//');
}

function fromUrl(url: URL): NatsCredentials {
  const user = decodeURIComponent(url.username);
  if (user === '') return {};
  return url.password === '' ? { token: user } : { user, password: decodeURIComponent(url.password) };
}

function checkCredentials(given: NatsCredentials): void {
  const kinds = [given.nkeySeedFile, given.nkeySeed, given.credentialsFile, given.user, given.token];
  if (kinds.filter((kind) => kind !== undefined).length > 1) {
    throw invalid(
      'credentials',
      'of several kinds',
      'one of nkeySeedFile, nkeySeed, credentialsFile, user with password, token',
    );
  }
}

function authentication(given: NatsCredentials): Partial<ConnectionOptions> {
  const { nkeySeedFile, nkeySeed, credentialsFile, user, password, token } = given;
  if (nkeySeedFile !== undefined) {
    readSecret(nkeySeedFile);
    return { authenticator: nkeyAuthenticator(() => Buffer.from(readSecret(nkeySeedFile).toString('latin1').trim())) };
  }
  if (nkeySeed !== undefined) return { authenticator: nkeyAuthenticator(Buffer.from(nkeySeed.trim())) };
  if (credentialsFile !== undefined) {
    readSecret(credentialsFile);
    return { authenticator: credsAuthenticator(() => readSecret(credentialsFile)) };
  }
  if (user !== undefined) return { user, pass: password ?? '' };
  return token === undefined ? {} : { token };
}

function readSecret(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ProcessError(
      'TRANSPORT_UNAVAILABLE',
      `Cannot read the NATS credentials file ${path}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

function invalid(option: string, given: string, expected: string): ProcessError {
  return new ProcessError(
    'TRANSPORT_OPTION_INVALID',
    `Invalid NATS option ${option}: got ${given}, expected ${expected}`,
  );
}
