import type { PID } from '../pid.ts';

/** Which processes have which names: each process once per name. */
export class Roster {
  readonly #members = new Map<string, Map<string, PID>>();
  /** By exact address. */
  readonly #names = new Map<string, Set<string>>();
  #size = 0;

  /** How many entries there are, over all names. */
  get size(): number {
    return this.#size;
  }

  get names(): readonly string[] {
    return [...this.#members.keys()];
  }

  members(name: string): Iterable<PID> {
    return this.#members.get(name)?.values() ?? [];
  }

  namesOf(pid: PID): readonly string[] {
    return [...(this.#names.get(pid.address) ?? [])];
  }

  has(name: string, pid: PID): boolean {
    return this.#members.get(name)?.has(pid.address) ?? false;
  }

  *entries(): Generator<readonly [name: string, pid: PID]> {
    for (const [name, members] of this.#members) for (const pid of members.values()) yield [name, pid];
  }

  /** False if it was there. */
  add(name: string, pid: PID): boolean {
    const { address } = pid;
    if (this.has(name, pid)) return false;
    const members = this.#members.get(name) ?? new Map<string, PID>();
    this.#members.set(name, members.set(address, pid));
    this.#names.set(address, (this.#names.get(address) ?? new Set()).add(name));
    this.#size++;
    return true;
  }

  /** False if it was not there. */
  remove(name: string, pid: PID): boolean {
    const { address } = pid;
    const members = this.#members.get(name);
    if (members?.delete(address) !== true) return false;
    if (members.size === 0) this.#members.delete(name);
    const names = this.#names.get(address);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(address);
    this.#size--;
    return true;
  }

  /** Names that have other members there than here. */
  changes(other: Roster): readonly string[] {
    const changed = new Set<string>();
    for (const [name, pid] of this.entries()) if (!other.has(name, pid)) changed.add(name);
    for (const [name, pid] of other.entries()) if (!this.has(name, pid)) changed.add(name);
    return [...changed];
  }
}
