import {
  type BodyOf,
  Deferred,
  type Duration,
  type ExitReason,
  type Future,
  json,
  methodNotAllowed,
  PID,
  Process,
  ProcessError,
  refusal,
  toMilliseconds,
} from '@mezzo/process';
import type { FencedLog, LogContents } from '@mezzo/process/log';
import {
  compareTerms,
  type MasterInfo,
  type RecoveryRefusal,
  registrarMessages,
  type RegistryOperation,
  type Term,
} from '@mezzo/protocol';
import { type LogFault, LogTail } from './log-tail.ts';
import { RegistrarMetrics } from './registrar-metrics.ts';
import { encodeRecord, encodeSnapshot, readRegistry } from './registry-codec.ts';
import { registryJson } from './registry-json.ts';
import type { RegistryState } from './registry-state.ts';

export interface RegistrarOptions {
  /** Whoever opened it closes it, after the registrar has ended. */
  readonly log: FencedLog;
  /** How long reading the registry may take (registry_fetch_timeout). Default 1 min. */
  readonly fetchTimeout?: Duration;
  /** How long storing a batch may take (registry_store_timeout). Default 20 s. */
  readonly storeTimeout?: Duration;
  /** A snapshot is taken after so many bytes of records, or as many as the last one had if that is more. Default 4 MiB. */
  readonly snapshotBytes?: number;
  /** A snapshot is taken after so many records, or as many as the last one had entries if that is more. Default 10,000. */
  readonly snapshotRecords?: number;
}

type Recovered = BodyOf<typeof registrarMessages.RecoverRegistry.reply>;
type Changed = BodyOf<typeof registrarMessages.ChangeRegistry.reply>;

/** Whom the registrar serves. */
interface Reign {
  readonly term: Term;
  readonly master: MasterInfo;
  readonly pid: PID;
}

interface Queued {
  readonly operation: RegistryOperation;
  readonly answer: Deferred<Changed>;
}

/** Operations wait for the next append once one has so many bytes of them. */
const maxBatch = 512 * 1024;

/**
 * Keeps what must survive the master, in a fenced log: the process `registrar`. It serves the master that recovered it last.
 * Once anybody else has written to the log, or a batch could not be stored, nothing is written any more in this reign.
 */
export class Registrar extends Process {
  readonly #log: FencedLog;
  readonly #fetchTimeout: number;
  readonly #storeTimeout: number;
  readonly #snapshotBytes: number;
  readonly #snapshotRecords: number;
  #tail: LogTail | undefined;
  #metrics: RegistrarMetrics | undefined;
  #reign: Reign | undefined;
  #recovery = new Deferred<Recovered>();
  /** There once it is recovered; what is in the batch under way is in it already. */
  #state: RegistryState | undefined;
  #lost: string | undefined;
  #queue: Queued[] = [];
  /** The last that was taken to be stored. */
  #batch: readonly Queued[] = [];
  #isStoring = false;
  /** Since the snapshot. */
  #records = 0;
  #recordBytes = 0;
  #snapshotSize = 0;
  /** What the registry had when this registrar last took a snapshot. */
  #snapshotEntries = 0;

  /** Throws DURATION_INVALID, and RangeError for counts that are not above 0. */
  constructor(options: RegistrarOptions) {
    super('registrar');
    this.#log = options.log;
    this.#fetchTimeout = toMilliseconds(options.fetchTimeout ?? '1mins');
    this.#storeTimeout = toMilliseconds(options.storeTimeout ?? '20s');
    this.#snapshotBytes = positive('snapshotBytes', options.snapshotBytes ?? 4 * 1024 * 1024);
    this.#snapshotRecords = positive('snapshotRecords', options.snapshotRecords ?? 10_000);
    this.answer(registrarMessages.RecoverRegistry, ({ term, master }, from) => this.#recover(term, master, from));
    this.answer(registrarMessages.ChangeRegistry, ({ term, operation }, from) => this.#change(term, operation, from));
    this.route(
      '/registry',
      ({ method }) => {
        if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed(['GET', 'HEAD'], method);
        if (this.#state !== undefined && this.#lost === undefined) return json(registryJson(this.#state));
        return refusal(503, this.#lost ?? 'the registry is not recovered yet');
      },
      { help: 'Tells what survives the master.' },
    );
  }

  protected override initialize(): void {
    this.#metrics = new RegistrarMetrics(this.runtime.metrics, {
      queued: () => this.#queue.length,
      size: () => this.#snapshotSize + this.#recordBytes,
    });
  }

  protected override finalize(_reason: ExitReason): void {
    this.#metrics?.remove();
  }

  // ---- recovery

  #recover(term: Term, master: MasterInfo, from: PID): Future<Recovered> | Recovered {
    const pid = PID.parse(master.address);
    if (!isSameNode(pid, from)) return refused('LOST', `${master.address} is not on the node that asks, ${from.node}`);
    const present = this.#reign;
    // A master that was started again, or elected again, finds its registrar where it was.
    if (present === undefined || (compareTerms(term, present.term) > 0 && pid.node === present.pid.node)) {
      return this.#begin({ term, master, pid });
    }
    if (!this.#serves(term, from) || present.master.id !== master.id) {
      return refused('LOST', `this registrar serves master ${present.master.id} of term ${termText(present.term)}`);
    }
    if (this.#lost !== undefined) return refused('LOST', this.#lost);
    if (this.#state !== undefined) return { outcome: 'RECOVERED', registry: this.#state.contents() };
    return this.#recovery.future;
  }

  #begin(reign: Reign): Future<Recovered> {
    this.#tail?.close();
    const message = `master ${reign.master.id} of term ${termText(reign.term)} reigns here now`;
    this.#recovery.set(refused('LOST', message));
    this.#answerAll({ outcome: 'LOST', message });
    this.#reign = reign;
    this.#state = this.#lost = undefined;
    this.#records = this.#recordBytes = 0;
    this.#recovery = new Deferred<Recovered>();
    this.#tail = new LogTail(this.#log, {
      delay: (milliseconds, call) => this.delay(milliseconds, call),
      defer: (call) => this.defer(call),
    });
    this.#fetch(this.#fetchTimeout);
    return this.#recovery.future;
  }

  /** @param timeout milliseconds left. */
  #fetch(timeout: number): void {
    const startedAt = this.clock.now();
    this.#metrics?.fetch.start();
    this.#tail?.read(timeout, (outcome) => {
      this.#metrics?.fetch.stop();
      if (outcome instanceof ProcessError) return this.#giveUp(reasonOf(outcome), outcome.message);
      const state = this.#judged(outcome);
      if (state !== undefined) this.#seal(state, outcome, timeout - (this.clock.now() - startedAt));
    });
  }

  /** The registry, if this master may go on with it. */
  #judged(contents: LogContents): RegistryState | undefined {
    const reign = this.#reign;
    if (reign === undefined) return undefined;
    let state: RegistryState;
    try {
      state = readRegistry(contents);
    } catch (error) {
      if (!(error instanceof ProcessError)) throw error;
      return this.#giveUp(reasonOf(error), error.message);
    }
    const { term, master } = reign;
    const missing = [...state.minimumCapabilities].filter((capability) => !master.capabilities.includes(capability));
    if (missing.length > 0) {
      return this.#giveUp(
        'CAPABILITY_MISSING',
        `the registry demands ${missing.join(', ')}, which this master (${master.version}) is not capable of: start a newer version`,
      );
    }
    const order = state.term === undefined ? 1 : compareTerms(term, state.term);
    if (order > 0 || (order === 0 && state.master?.id === master.id)) return state;
    return this.#giveUp(
      'STALE_TERM',
      `master ${state.master?.id ?? '(a restored backup)'} of term ${termText(state.term)} has written to the registry; this one is ${master.id} of ${termText(term)}`,
    );
  }

  #seal(state: RegistryState, contents: LogContents, fetchTimeout: number): void {
    if (this.#reign === undefined) return;
    const { term, master } = this.#reign;
    const seal = { kind: 'SEAL', term, master } as const;
    const bytes = encodeRecord(seal);
    this.#tail?.append([bytes], this.#storeTimeout, (fault) => {
      // Whoever reigned before was quicker; the next time it may be a newer one.
      if (fault?.kind === 'fenced' && fetchTimeout > 0) return this.#fetch(fetchTimeout);
      if (fault !== undefined) return this.#giveUp('UNAVAILABLE', fault.message);
      state.apply(seal);
      this.#state = state;
      this.#snapshotSize = contents.snapshot?.state.length ?? 0;
      for (const { records } of contents.entries) this.#count(records);
      this.#count([bytes]);
      this.#recovery.set({ outcome: 'RECOVERED', registry: state.contents() });
      this.runtime.log.info(
        {
          agents: state.agents.size,
          unreachable: state.unreachable.size,
          bytes: this.#snapshotSize + this.#recordBytes,
        },
        'the registry is recovered',
      );
      this.#next();
    });
  }

  #giveUp(reason: RecoveryRefusal, message: string): undefined {
    this.#lost = message;
    this.runtime.log.error({ reason }, `the registry cannot be recovered: ${message}`);
    this.#recovery.set(refused(reason, message));
  }

  // ---- operations

  #change(term: Term, operation: RegistryOperation, from: PID): Future<Changed> | Changed {
    if (this.#lost !== undefined) return { outcome: 'LOST', message: this.#lost };
    if (this.#state === undefined) return { outcome: 'LOST', message: 'the registry is not recovered yet' };
    if (!this.#serves(term, from)) {
      this.runtime.log.warn({ from: from.toString(), operation: operation.kind }, 'dropped a change by another master');
      return { outcome: 'LOST', message: `this registrar serves master ${this.#reign?.master.id ?? ''} only` };
    }
    const answer = new Deferred<Changed>();
    this.#queue.push({ operation, answer });
    if (!this.#isStoring) this.#next();
    return answer.future;
  }

  #serves(term: Term, from: PID): boolean {
    return this.#reign !== undefined && compareTerms(this.#reign.term, term) === 0 && isSameNode(this.#reign.pid, from);
  }

  /** What there is to write: a snapshot if one is due, or all that is queued as one entry. */
  #next(): void {
    const state = this.#state;
    if (state === undefined) return;
    this.#isStoring = false;
    if (this.#isSnapshotDue) this.#snapshot(state);
    else if (this.#queue.length > 0) this.#storeBatch(state);
  }

  #storeBatch(state: RegistryState): void {
    const records: Uint8Array[] = [];
    const verdicts: Changed[] = [];
    let bytes = 0;
    for (const { operation } of this.#queue) {
      if (bytes >= maxBatch) break;
      const fault = state.apply(operation);
      verdicts.push(fault === undefined ? { outcome: 'STORED' } : { outcome: 'REJECTED', message: fault });
      if (fault !== undefined) continue;
      // Also what changed nothing is written: only so is it known that nobody else reigns.
      const record = encodeRecord(operation);
      records.push(record);
      bytes += record.length;
    }
    const batch = this.#queue.splice(0, verdicts.length);
    const answer = (): void => {
      for (const [index, verdict] of verdicts.entries()) batch[index]?.answer.set(verdict);
      this.#next();
    };
    if (records.length === 0) return answer();
    this.#isStoring = true;
    this.#batch = batch;
    this.#metrics?.store.start();
    this.#tail?.append(records, this.#storeTimeout, (fault) => {
      this.#metrics?.store.stop();
      if (fault !== undefined) return this.#lose(fault);
      this.#count(records);
      answer();
    });
  }

  get #isSnapshotDue(): boolean {
    return (
      this.#recordBytes > Math.max(this.#snapshotBytes, this.#snapshotSize) ||
      this.#records > Math.max(this.#snapshotRecords, this.#snapshotEntries)
    );
  }

  #snapshot(state: RegistryState): void {
    this.#isStoring = true;
    const bytes = encodeSnapshot(state.contents());
    this.#tail?.snapshot(bytes, this.#storeTimeout, (fault) => {
      if (fault !== undefined) return this.#lose(fault);
      this.#snapshotSize = bytes.length;
      this.#snapshotEntries = state.size;
      this.#records = this.#recordBytes = 0;
      this.#next();
    });
  }

  #count(records: readonly Uint8Array[]): void {
    this.#records += records.length;
    for (const { length } of records) this.#recordBytes += length;
  }

  #lose({ kind, message }: LogFault): void {
    this.#lost = kind === 'fenced' ? `another master writes to the registry: ${message}` : message;
    this.runtime.log.error({ kind }, `the registry is lost: ${this.#lost}`);
    this.#answerAll({ outcome: 'LOST', message: this.#lost });
    if (this.#reign === undefined) return;
    const { pid, term } = this.#reign;
    this.send(pid, registrarMessages.RegistrarLost, { term, message: this.#lost });
  }

  /** All that have no answer yet. */
  #answerAll(outcome: Changed): void {
    for (const { answer } of [...this.#batch, ...this.#queue.splice(0)]) answer.set(outcome);
  }
}

function refused(reason: RecoveryRefusal, message: string): Recovered {
  return { outcome: 'REFUSED', reason, message };
}

function reasonOf({ code }: ProcessError): RecoveryRefusal {
  if (code === 'LOG_VERSION') return 'NEWER_VERSION';
  return code === 'LOG_CORRUPT' ? 'CORRUPT' : 'UNAVAILABLE';
}

function isSameNode(a: PID, b: PID): boolean {
  return a.node === b.node && a.incarnation === b.incarnation;
}

function termText(term: Term | undefined): string {
  return term === undefined ? '(none)' : `${term.created}.${term.revision}`;
}

function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`Invalid ${name} ${value}: expected more than 0`);
}
