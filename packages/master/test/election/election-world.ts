import { type Duration, type LocalPID, type PID, Process, type Runtime } from '@mezzo/process';
import { LeaseServer, type LeaseStore, memoryLease, remoteLease } from '@mezzo/process/lease';
import type { Simulation } from '@mezzo/process/testing';
import { decodeLeader, type Leader, leaderTopic, type Term } from '@mezzo/protocol';
import { Deposed, Elected, Leads } from '../../src/election/contender-messages.ts';
import { LeaseContender } from '../../src/election/lease-contender.ts';

export const cluster = 'test';

/** What stands for a master here: it does nothing, but it is there while its term lasts. */
class Reigning extends Process {}

/** Runs a master while its contender leads, as a master's node does. */
export class Candidate extends Process {
  readonly log: string[] = [];
  readonly #lease: LeaseStore;
  readonly #settings: Settings;
  readonly #elected: (term: Term) => void;
  contender: LocalPID<LeaseContender> | undefined;
  master: LocalPID<Reigning> | undefined;
  term: Term | undefined;

  constructor(lease: LeaseStore, settings: Settings, elected: (term: Term) => void) {
    super('candidate');
    this.#lease = lease;
    this.#settings = settings;
    this.#elected = elected;
    this.install(Elected, ({ term }, from) => this.#begin(term, from));
    this.install(Deposed, ({ term, reason }) => {
      this.log.push(`deposed ${term.revision}: ${reason}`);
      if (this.master !== undefined) this.runtime.terminate(this.master);
      this.term = this.master = undefined;
    });
  }

  protected override initialize(): void {
    const [owner, lease] = [this.self, this.#lease];
    this.contender = this.runtime.spawn(new LeaseContender({ cluster, lease, owner, ...this.#settings }));
  }

  #begin(term: Term, contender: PID): void {
    this.log.push(`elected ${term.revision}`);
    this.#elected(term);
    this.term = term;
    this.master = this.runtime.spawn(new Reigning(this.runtime.generateId('master')));
    this.send(contender, Leads, { term, master: this.master });
  }
}

export interface Settings {
  readonly duration?: Duration;
  readonly renewal?: Duration;
}

export interface Election {
  /** The names of the candidates' nodes. */
  readonly names: readonly string[];
  readonly store: LeaseStore;
  /** Every reign that began, oldest first. */
  readonly reigns: readonly { readonly name: string; readonly term: Term; readonly at: number }[];
  /** Announcements as they arrive at a node of their own. */
  readonly heard: readonly { readonly leader: Leader; readonly at: number }[];
  candidate(name: string): Candidate | undefined;
  /** The names of those that act as leaders now, of nodes that run. */
  leaders(): readonly string[];
  /** Fails if there is no new leader within the limit; how long it took, in milliseconds of true time. */
  untilNext(limit: Duration): Promise<number>;
}

/** Candidates, each on a node of its own, and one node that serves their lease; it is not subject to faults of candidates. */
export async function hold(world: Simulation, count: number, settings: Settings): Promise<Election> {
  const store = memoryLease({ created: 1 });
  await world.start('store', { boot: (runtime) => void runtime.spawn(new LeaseServer(store)) });
  const candidates = new Map<string, { runtime: Runtime; candidate: Candidate }>();
  const reigns: { name: string; term: Term; at: number }[] = [];
  const heard: { leader: Leader; at: number }[] = [];
  const witness = await world.start('witness');
  witness.listen(leaderTopic, (data) => {
    const leader = decodeLeader(data);
    if (leader !== undefined) heard.push({ leader, at: world.elapsed });
  });
  const names = Array.from({ length: count }, (_, index) => `node-${index}`);
  for (const name of names) {
    const boot = (runtime: Runtime): void => {
      const lease = remoteLease(runtime, runtime.pid('lease@store'), { timeout: '1s' });
      const elected = (term: Term): void => void reigns.push({ name, term, at: world.elapsed });
      const candidate = new Candidate(lease, settings, elected);
      runtime.spawn(candidate);
      candidates.set(name, { runtime, candidate });
    };
    await world.start(name, { boot });
  }
  const leaders = (): string[] =>
    names.filter((name) => {
      const known = candidates.get(name);
      return known?.runtime === world.runtime(name) && known?.candidate.term !== undefined;
    });
  return {
    names,
    store,
    reigns,
    heard,
    candidate: (name) => candidates.get(name)?.candidate,
    leaders,
    untilNext: async (limit) => {
      const [before, from] = [reigns.length, world.elapsed];
      if (!(await world.advanceUntil(() => reigns.length > before, limit))) throw new Error('nobody took over');
      return world.elapsed - from;
    },
  };
}
