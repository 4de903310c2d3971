import { Members } from '../group/registry-messages.ts';
import { Registry } from '../group/registry.ts';
import type { BodyOf, Message } from '../message.ts';
import type { LocalPID, PID } from '../pid.ts';
import { Process } from '../process.ts';
import { type Candidate, candidate, type Choice, Chooser } from './choice.ts';
import { passOn } from './pass-on.ts';

export interface GroupOptions<K extends Message<unknown>> {
  /** The name whose members get the messages. */
  readonly name: string;
  /** The kinds of messages that are passed on; those for members of other nodes need a schema. */
  readonly kinds: readonly K[];
  /** Default `round-robin`. */
  readonly choice?: Choice<K>;
}

/** How long, in milliseconds, after its registry ended a group looks for the next one. */
const retryDelay = 1000;

/**
 * The members of a registered name behind one address on this node. It passes each message on to one of them in the name of
 * its sender, so that answers go straight back. That way is open between this node and any other; what comes from another
 * node goes to members of this one only, since a third node could not know whom to answer. With nobody to pass on to,
 * messages are dead letters and asks fail with ProcessGone; an ask whose member is lost with its node fails as if it had gone
 * there straight.
 */
export class Group<K extends Message<unknown>> extends Process {
  readonly #options: GroupOptions<K>;
  #members: readonly Candidate[] = [];
  #chooser: Chooser<K> | undefined;

  constructor(id: string, options: GroupOptions<K>) {
    super(id);
    this.#options = options;
  }

  protected override initialize(): void | Promise<void> {
    const { choice = 'round-robin', kinds } = this.#options;
    this.#chooser = new Chooser(choice, this.random);
    this.install(Members, ({ members }) => this.#know(members));
    for (const kind of kinds) this.install(kind, (body, from) => this.#pass(kind, body as BodyOf<K>, from));
    if (!this.runtime.stopping) return this.#begin(Registry.of(this.runtime));
  }

  protected override exited(): void {
    this.delay(retryDelay, () => {
      // It is not ours to spawn another: it may have a supervisor.
      const registry = Registry.find(this.runtime);
      if (registry === undefined) this.exited();
      else this.#subscribe(registry);
    });
  }

  /** Messages wait until the registry has said whom they can go to, or has ended. */
  async #begin(registry: LocalPID<Registry>): Promise<void> {
    this.#subscribe(registry);
    const { name } = this.#options;
    this.#know(await this.runtime.dispatch(registry, (process) => process.lookup(name)).recover(() => []));
  }

  #know(members: readonly PID[]): void {
    // Of a process that was restarted somewhere, the same name.
    this.#members = members.map((pid) => candidate(pid.toString(), pid));
  }

  #subscribe(registry: LocalPID<Registry>): void {
    this.link(registry);
    this.runtime.dispatch(registry, (process) => process.subscribe(this.#options.name, this.self));
  }

  #pass(kind: K, body: BodyOf<K>, from: PID): void {
    const { name } = this.runtime;
    const members = from.node === name ? this.#members : this.#members.filter(({ pid }) => pid.node === name);
    const member = this.#chooser?.choose(members, body, kind.name);
    passOn(this.runtime, this.self, member?.pid, kind, body, from);
  }
}
