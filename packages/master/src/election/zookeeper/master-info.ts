import { type Leader, leaderOf } from '@mezzo/protocol';

export interface MasterInfoOptions {
  readonly id: string;
  /** IPv4, in dotted form. */
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
  readonly version: string;
}

/** What Mesos calls MasterInfo, in JSON: what its tools read in ZooKeeper. */
export type MasterInfo = Readonly<Record<string, unknown>>;

/** Throws RangeError for what is no IPv4 address or port. */
export function masterInfo({ id, ip, port, hostname, version }: MasterInfoOptions): MasterInfo {
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(ip)?.slice(1).map(Number) ?? [];
  if (bytes.length !== 4 || bytes.some((byte) => byte > 255)) {
    throw new RangeError(`Invalid address '${ip}' of a master: expected IPv4, as MasterInfo has nothing else`);
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`Invalid port ${port} of a master`);
  return {
    id,
    // The bytes as on the network, read as a number by a machine that puts the least first.
    ip: bytes.reduceRight((number, byte) => number * 256 + byte, 0),
    port,
    pid: `master@${ip}:${port}`,
    hostname,
    version,
    address: { hostname, ip, port },
    capabilities: [{ type: 'AGENT_UPDATE' }, { type: 'AGENT_DRAINING' }, { type: 'QUOTA_V2' }],
  };
}

/** What a master's node in ZooKeeper holds. Mesos's tools pass over the field they do not know. */
export function encodeMember(info: MasterInfo, leader: Leader | undefined): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(leader === undefined ? info : { ...info, mezzo: leader }));
}

/** The leader that such a node names; undefined before its master is there, and for a master of another kind. */
export function leaderIn(data: Uint8Array): Leader | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return typeof value === 'object' && value !== null ? leaderOf(Reflect.get(value, 'mezzo')) : undefined;
  } catch {
    return undefined;
  }
}

/** What each master's node in ZooKeeper is called, before ten digits. */
export const memberPrefix = 'json.info_';

/** The name of the leader's node: that with the lowest number. */
export function lowest(names: readonly string[]): string | undefined {
  return names.filter((name) => /^json\.info_\d{10}$/.test(name)).sort()[0];
}
