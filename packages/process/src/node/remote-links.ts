import type { Cell } from '../cell.ts';
import type { Linker } from '../extras.ts';
import type { ExitReason } from '../event.ts';
import { PID } from '../pid.ts';
import type { Runtime } from '../runtime.ts';
import { type Envelope, kind } from './envelope.ts';

type LinkEnvelope = Extract<Envelope, readonly [typeof kind.link, ...unknown[]]>;
type ExitedEnvelope = Extract<Envelope, readonly [typeof kind.exited, ...unknown[]]>;
type UnlinkEnvelope = Extract<Envelope, readonly [typeof kind.unlink, ...unknown[]]>;

/** Links that the processes of one peer may have to those of this node: each takes ten times the bytes it came in. */
const incomingLimit = 1_048_576;

interface OutgoingLink {
  readonly linker: Cell;
  readonly to: PID;
}

/** A process of a peer that is linked to one of ours. */
class RemoteLinker implements Linker {
  readonly #exited: (pid: PID, reason: ExitReason) => void;
  readonly linkee: Cell;

  constructor(linkee: Cell, exited: (pid: PID, reason: ExitReason) => void) {
    this.linkee = linkee;
    this.#exited = exited;
  }

  notifyExited(pid: PID, reason: ExitReason): void {
    this.#exited(pid, reason);
  }
}

/** Links between processes of this node and of its peers, in both directions. */
export class RemoteLinks {
  readonly #runtime: Runtime;
  readonly #push: (peer: string, envelope: Envelope) => void;
  /** By peer, then by linker and linkee. */
  readonly #outgoing = new Map<string, Map<string, OutgoingLink>>();
  readonly #incoming = new Map<string, Map<string, RemoteLinker>>();

  constructor(runtime: Runtime, push: (peer: string, envelope: Envelope) => void) {
    this.#runtime = runtime;
    this.#push = push;
  }

  /** True while a process here depends on one of the peer's. */
  has(peer: string): boolean {
    return this.#outgoing.has(peer);
  }

  /** @param incarnation of the peer as known now; 0 while its session is not open. @param again says so to a peer that knows. */
  make(linker: Cell, to: PID, incarnation: number, again: boolean): void {
    if (to.isExact && incarnation !== 0 && incarnation !== to.incarnation) {
      linker.notifyExited(to, { kind: 'unreachable', message: `node '${to.node}' has been started again since` });
      return;
    }
    const links = (linker.extras.links ??= new Map());
    if (links.has(to.address) && !again) return;
    const key = keyOf(linker.pid.id, linker.pid.generation, to.id, to.generation);
    this.#table(this.#outgoing, to.node).set(key, { linker, to });
    links.set(to.address, {
      undo: () => {
        this.#remove(this.#outgoing, to.node, key);
        this.#push(to.node, [kind.unlink, linker.pid.id, linker.pid.generation, to.id, to.generation]);
      },
    });
    this.#push(to.node, [kind.link, linker.pid.id, linker.pid.generation, to.id, to.generation, to.incarnation]);
  }

  /** A peer's process wants to hear of the exit of one of ours. */
  requested(peer: string, envelope: LinkEnvelope): void {
    const [, linkerId, linkerGeneration, linkeeId, linkeeGeneration, incarnation] = envelope;
    const cell = this.#runtime.cell(linkeeId);
    const meant =
      linkeeGeneration === 0 ||
      (cell?.pid.generation === linkeeGeneration && incarnation === this.#runtime.incarnation);
    if (cell === undefined || !meant) {
      const text = `no process '${linkeeId}' on node '${this.#runtime.name}'`;
      this.#push(peer, [kind.exited, linkerId, linkerGeneration, linkeeId, linkeeGeneration, 0, 'unreachable', text]);
      return;
    }
    const table = this.#table(this.#incoming, peer);
    const key = keyOf(linkerId, linkerGeneration, linkeeId, linkeeGeneration);
    if (table.size >= incomingLimit && !table.has(key)) {
      const text = `node '${peer}' has ${table.size} links to node '${this.#runtime.name}' already`;
      this.#push(peer, [kind.exited, linkerId, linkerGeneration, linkeeId, linkeeGeneration, 0, 'unreachable', text]);
      return;
    }
    const linker = new RemoteLinker(cell, (pid, reason) => {
      this.#remove(this.#incoming, peer, key);
      const text = 'message' in reason ? reason.message : '';
      this.#push(peer, [
        kind.exited,
        linkerId,
        linkerGeneration,
        linkeeId,
        linkeeGeneration,
        pid.generation,
        reason.kind,
        text,
      ]);
    });
    this.#forget(table.get(key));
    table.set(key, linker);
    (cell.extras.linkers ??= new Set()).add(linker);
  }

  exited(peer: string, peerIncarnation: number, envelope: ExitedEnvelope): void {
    const [, linkerId, linkerGeneration, linkeeId, linkeeGeneration, generation, reason, text] = envelope;
    const link = this.#remove(this.#outgoing, peer, keyOf(linkerId, linkerGeneration, linkeeId, linkeeGeneration));
    if (link === undefined) return;
    link.linker.links?.delete(link.to.address);
    const pid = generation === 0 ? link.to : new PID(linkeeId, peer, peerIncarnation, generation);
    link.linker.notifyExited(pid, reasonOf(reason, text));
  }

  withdrawn(peer: string, envelope: UnlinkEnvelope): void {
    const [, linkerId, linkerGeneration, linkeeId, linkeeGeneration] = envelope;
    this.#forget(this.#remove(this.#incoming, peer, keyOf(linkerId, linkerGeneration, linkeeId, linkeeGeneration)));
  }

  /** The session to the peer is gone, and with it every link in either direction: once per link. */
  lost(peer: string, reason: ExitReason): void {
    const outgoing = this.#outgoing.get(peer);
    const incoming = this.#incoming.get(peer);
    this.#outgoing.delete(peer);
    this.#incoming.delete(peer);
    for (const linker of incoming?.values() ?? []) this.#forget(linker);
    for (const { linker, to } of outgoing?.values() ?? []) {
      linker.links?.delete(to.address);
      linker.notifyExited(to, reason);
    }
  }

  #forget(linker: RemoteLinker | undefined): void {
    if (linker !== undefined) linker.linkee.linkers?.delete(linker);
  }

  #table<V>(tables: Map<string, Map<string, V>>, peer: string): Map<string, V> {
    const known = tables.get(peer);
    if (known !== undefined) return known;
    const table = new Map<string, V>();
    tables.set(peer, table);
    return table;
  }

  #remove<V>(tables: Map<string, Map<string, V>>, peer: string, key: string): V | undefined {
    const table = tables.get(peer);
    const value = table?.get(key);
    table?.delete(key);
    if (table?.size === 0) tables.delete(peer);
    return value;
  }
}

function keyOf(linker: string, linkerGeneration: number, linkee: string, linkeeGeneration: number): string {
  return `${linkerGeneration}.${linkeeGeneration}.${linker.length}.${linker}${linkee}`;
}

function reasonOf(reason: string, text: string): ExitReason {
  switch (reason) {
    case 'terminated':
      return { kind: 'terminated' };
    case 'crashed':
      return { kind: 'crashed', message: text };
    case 'unreachable':
      return { kind: 'unreachable', message: text };
    default:
      return { kind: 'lost', message: text };
  }
}
