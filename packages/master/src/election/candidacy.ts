import { type ExitReason, type LocalPID, type PID, Process } from '@mezzo/process';
import type { Term } from '@mezzo/protocol';
import type { MasterProcesses } from '../start-master.ts';
import { Deposed, Elected, Leads, MasterReady, Resigns } from './contender-messages.ts';

export interface CandidacyOptions {
  /** Starts a master for a term; it says MasterReady to its owner. */
  readonly spawn: (term: Term, owner: PID) => MasterProcesses;
  /** Who contends for the owner. */
  readonly contender: (owner: PID) => Process;
}

/**
 * One of several masters: while its contender reigns it runs a master, of which nothing is left when the reign is over. The
 * next one starts when the last process of the one before has ended.
 */
export class Candidacy extends Process {
  readonly #options: CandidacyOptions;
  #contender: LocalPID<Process> | undefined;
  /** Of the reign that goes on, if its master is still to be started. */
  #elected: Term | undefined;
  #master: (MasterProcesses & { readonly term: Term }) | undefined;
  /** Processes of masters of before that have not ended yet. */
  readonly #ending = new Set<string>();

  constructor(options: CandidacyOptions) {
    super('candidacy');
    this.#options = options;
    this.install(Elected, ({ term }) => {
      this.#elected = term;
      this.#start();
    });
    this.install(Deposed, () => {
      this.#elected = undefined;
      this.#stop();
    });
    this.install(MasterReady, ({ term }, from) => {
      const isCurrent = this.#master?.master.equals(from) === true;
      if (isCurrent && this.#contender !== undefined) this.send(this.#contender, Leads, { term, master: from });
    });
  }

  protected override initialize(): void {
    this.#contender = this.runtime.spawn(this.#options.contender(this.self));
    this.link(this.#contender);
  }

  protected override finalize(): void {
    this.#stop();
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    if (this.#contender?.equals(pid) === true) {
      if (reason.kind !== 'terminated') throw new Error(`The contender has ended (${reason.kind})`);
      this.terminate();
      return;
    }
    this.#lost(pid, reason);
    this.#ending.delete(pid.address);
    this.#start();
  }

  /** A master without one of its processes is none: others are to lead. */
  #lost(pid: PID, reason: ExitReason): void {
    const master = this.#master;
    if (master === undefined || !this.#processes(master).some((process) => process.equals(pid))) return;
    this.#stop();
    const body = { term: master.term, reason: `${pid.id} has ended: ${reason.kind}` };
    if (this.#contender !== undefined) this.send(this.#contender, Resigns, body);
  }

  #start(): void {
    if (this.#elected === undefined || this.#master !== undefined || this.#ending.size > 0) return;
    const term = this.#elected;
    this.#elected = undefined;
    this.#master = { ...this.#options.spawn(term, this.self), term };
    for (const process of this.#processes(this.#master)) this.link(process);
  }

  #stop(): void {
    const processes = this.#master;
    if (processes === undefined) return;
    this.#master = undefined;
    for (const process of this.#processes(processes)) {
      this.#ending.add(process.address);
      this.runtime.terminate(process);
    }
  }

  /** The master first: it is the one that others listen to. */
  #processes({ master, registrar, supervisor }: MasterProcesses): readonly PID[] {
    return [master, registrar, ...(supervisor === undefined ? [] : [supervisor])];
  }
}
