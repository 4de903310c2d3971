/** Where a group of masters is in ZooKeeper. */
export interface ZooKeeperUrl {
  /** `host:port` each, joined by commas. */
  readonly servers: string;
  /** Absolute, without a slash at its end. */
  readonly path: string;
  /** `user:password` of the digest scheme. */
  readonly credentials: string | undefined;
}

const form = /^zk:\/\/(?:(?<credentials>[^/]*)@)?(?<servers>[^/@]+)(?<path>\/.*)?$/;
const server = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?<port>\d{1,5}))?$/;
const defaultPort = 2181;

/** Reads `zk://user:password@host1:2181,host2:2181/path`, where user, password and ports may be missing. Throws RangeError. */
export function parseZooKeeperUrl(text: string): ZooKeeperUrl {
  const { credentials, servers, path = '' } = form.exec(text)?.groups ?? {};
  if (servers === undefined) throw new RangeError(`Invalid ZooKeeper URL '${hidden(text)}': ${expected}`);
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '' || trimmed.includes('//')) {
    throw new RangeError(`No path for the masters in the ZooKeeper URL '${hidden(text)}': ${expected}`);
  }
  if (credentials !== undefined && !/^[^:]+:./.test(credentials)) {
    throw new RangeError(`Neither user nor password before '@' in the ZooKeeper URL '${hidden(text)}': ${expected}`);
  }
  return { servers: servers.split(',').map(withPort).join(','), path: trimmed, credentials };
}

const expected = 'expected zk://host1:port1,host2:port2/path or zk://user:password@host1:port1,.../path';

function withPort(text: string): string {
  const match = server.exec(text);
  const port = Number(match?.groups?.['port'] ?? defaultPort);
  if (match === null || port < 1 || port > 65_535)
    throw new RangeError(`Invalid ZooKeeper server '${text}': ${expected}`);
  return match.groups?.['port'] === undefined ? `${text}:${defaultPort}` : text;
}

/** Errors are logged, passwords are not. */
function hidden(text: string): string {
  return text.replace(/\/\/.*@/, '//***@');
}
