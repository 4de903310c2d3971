import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
  type TlsOptions,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from 'nats';

import { toMilliseconds, type Duration } from '../duration.ts';
import { messageOf, ProcessError } from '../errors.ts';

/** What is given now, or a function that is asked at every connect, so that it can be rotated. It must not wait. */
export type Secret = string | (() => string);

/**
 * Who we are to the broker; at most one kind. Files are read and functions called again at every connect, so credentials can
 * be rotated.
 */
export interface NatsCredentials {
  /** File that holds an nkey seed (`SU…`) on its first line. */
  readonly nkeySeedFile?: string;
  /** The nkey seed itself. */
  readonly nkeySeed?: Secret;
  /** A `.creds` file: JWT and seed. */
  readonly credentialsFile?: string;
  /** The text of such a file. */
  readonly credentials?: Secret;
  readonly user?: Secret;
  readonly password?: Secret;
  readonly token?: Secret;
  /** Anything else: an authenticator of the `nats` package's. */
  readonly authenticator?: Authenticator;
}

/** Paths of PEM files, or their text. With `tls`, or a URL that begins with `tls://`, no connection is made without TLS. */
export interface NatsTls {
  /** Whom to trust. Default: the authorities that Node trusts. */
  readonly ca?: string;
  readonly caFile?: string;
  /** Our own certificate, for servers that verify their clients. */
  readonly cert?: string;
  readonly certFile?: string;
  readonly key?: string;
  readonly keyFile?: string;
  /** TLS before the server has said anything, as a server with `handshake_first` wants it (2.10). Default false. */
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
  /** Whether we have a certificate to show. */
  readonly certified: boolean;
  /** @param wantsTls whether the server talks TLS only. */
  connection(node: string, wantsTls: boolean): ConnectionOptions;
}

/** Throws TRANSPORT_OPTION_INVALID. */
export function settings(options: NatsOptions): Settings {
  const { prefix = 'mezzo' } = options;
  const servers = typeof options.servers === 'string' ? options.servers.split(',') : options.servers;
  const urls = servers.map((server) => parseServer(server.trim()));
  const [first] = urls;
  if (first === undefined) throw invalid('servers', 'an empty list', 'at least one URL such as nats://127.0.0.1:4222');
  checkPrefix(prefix);
  const reconnectWait = toMilliseconds(options.reconnectWait ?? 250);
  const connectTimeout = toMilliseconds(options.connectTimeout ?? 2000);
  const pingInterval = toMilliseconds(options.pingInterval ?? 1000);
  const maxPingOut = options.maxPingOut ?? 2;
  const credentials = { ...fromUrl(first), ...options };
  checkCredentials(credentials);
  const hosts = urls.map((url) => url.host);
  // The client would go on in the clear with a server that offers no TLS.
  const tls = options.tls ?? (urls.some((url) => url.protocol === 'tls:') ? {} : undefined);
  return {
    servers: hosts,
    shown: urls.map((url) => `${url.protocol}//${url.host}`).join(', '),
    prefix,
    reconnectWait,
    connectTimeout,
    greets: tls?.handshakeFirst !== true,
    certified: tls?.cert !== undefined || tls?.certFile !== undefined,
    connection: (node, wantsTls) => ({
      servers: hosts,
      name: node,
      ...signingAs(credentials),
      ...(tls === undefined && !wantsTls ? {} : { tls: checked(tls ?? {}, urls) }),
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

/** Throws TRANSPORT_OPTION_INVALID. */
export function checkPrefix(prefix: string): string {
  if (/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(prefix)) return prefix;
  throw invalid('prefix', `'${prefix}'`, "words of letters, digits, '-' and '_', joined by dots");
}

interface CheckedTls extends TlsOptions {
  readonly servername?: string;
  readonly checkServerIdentity: (name: string, certificate: PeerCertificate) => Error | undefined;
}

/**
 * The client gives Node no name to check (it knows one only for the addresses it looks up itself), and Node then takes a
 * certificate of `localhost` for anybody's. A server has to prove one of the names or addresses that we were given: those of
 * a cluster tell us of each other.
 */
function checked(tls: NatsTls, urls: readonly URL[]): CheckedTls {
  const names = [...new Set(urls.map((url) => url.hostname.replace(/^\[|\]$/g, '')))];
  const [name = '', ...others] = names;
  return {
    ...tls,
    ...(others.length === 0 && isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_name, certificate) => {
      const faults = names.map((expected) => checkServerIdentity(expected, certificate));
      return faults.includes(undefined) ? undefined : faults[0];
    },
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
  const { nkeySeedFile, nkeySeed, credentialsFile, credentials, user, token, authenticator } = given;
  const kinds = [nkeySeedFile, nkeySeed, credentialsFile, credentials, user, token, authenticator];
  if (kinds.filter((kind) => kind !== undefined).length > 1) {
    throw invalid(
      'credentials',
      'of several kinds',
      'one of nkeySeedFile, nkeySeed, credentialsFile, credentials, user with password, token, authenticator',
    );
  }
}

function authentication(given: NatsCredentials): Authenticator | undefined {
  const { nkeySeedFile, nkeySeed, credentialsFile, credentials, user, password = '', token } = given;
  if (nkeySeedFile !== undefined) return rotating(() => seedOf(readSecret(nkeySeedFile)), nkeyAuthenticator);
  if (nkeySeed !== undefined) return rotating(() => seedOf(now(nkeySeed)), nkeyAuthenticator);
  if (credentialsFile !== undefined) return rotating(() => textOf(readSecret(credentialsFile)), credsAuthenticator);
  if (credentials !== undefined) return rotating(() => textOf(now(credentials)), credsAuthenticator);
  if (user !== undefined) {
    const both = (): readonly [string, string] => [now(user), now(password)];
    return rotating(both, ([name, secret]) => usernamePasswordAuthenticator(name, secret));
  }
  return token === undefined ? given.authenticator : rotating(() => now(token), tokenAuthenticator);
}

/**
 * Signs in with what can be had now or, should that fail, with what could be had last: to the client an authenticator that
 * throws is the end of the connection, and a file may be missing for a moment.
 */
function rotating<T>(read: () => T, authenticator: (secret: T) => Authenticator): Authenticator {
  let last: T | undefined;
  return (nonce) => {
    try {
      const secret = read();
      const signed = authenticator(secret)(nonce);
      last = secret;
      return signed;
    } catch (error) {
      if (last === undefined) throw error;
      return authenticator(last)(nonce);
    }
  };
}

function signingAs(given: NatsCredentials): Partial<ConnectionOptions> {
  const authenticator = authentication(given);
  return authenticator === undefined ? {} : { authenticator };
}

function now(secret: Secret): string {
  return typeof secret === 'string' ? secret : secret();
}

function seedOf(secret: string): Uint8Array {
  return Buffer.from(secret.trim());
}

/** The client wants a line end behind the last marker. */
function textOf(credentials: string): Uint8Array {
  return Buffer.from(`${credentials}\n`);
}

function readSecret(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ProcessError(
      'TRANSPORT_UNAVAILABLE',
      `Cannot read the NATS credentials file ${path}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function invalid(option: string, given: string, expected: string): ProcessError {
  return new ProcessError(
    'TRANSPORT_OPTION_INVALID',
    `Invalid NATS option ${option}: got ${given}, expected ${expected}`,
  );
}
