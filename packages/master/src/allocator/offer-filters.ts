import type { Timer } from '@mezzo/process';
import type { Resources } from '@mezzo/protocol';
import { AgentFilters, type Refusal } from './agent-filters.ts';
import type { AllocatorAgent } from './allocator-agent.ts';
import type { Client } from './client.ts';

/** Filters of one client and duration, in columns: the first to be made is the first to expire. Millions stand in lines. */
export interface FilterLine {
  agents: (AllocatorAgent | undefined)[];
  refusals: (Refusal | undefined)[];
  due: number[];
  first: number;
  timer: Timer | undefined;
}

/** Void filters of a client below which nothing is tidied up. */
const tidyAbove = 100;

export interface FilterClock {
  /** Milliseconds. */
  now(): number;
  delay(milliseconds: number, call: () => void): Timer;
}

/** The offer filters of all clients on all agents, and when they end. */
export class OfferFilters {
  readonly #clock: FilterClock;
  /** Those with lines. */
  readonly #clients = new Set<Client>();
  #epoch = 0;

  constructor(clock: FilterClock) {
    this.#clock = clock;
  }

  /** How many wait for their end, void ones among them. */
  get size(): number {
    let size = 0;
    for (const client of this.#clients) size += client.filterCount + client.voidFilters;
    return size;
  }

  /** No other client has had it: a slot that is used again does not inherit filters. */
  nextEpoch(): number {
    return ++this.#epoch;
  }

  /** @param duration milliseconds */
  add(client: Client, agent: AllocatorAgent, refused: Resources, duration: number): void {
    const refusal = agent.filters.refusalOf(refused);
    agent.filters.add(client, refusal);
    client.filterCount++;
    let line = client.filterLines.get(duration);
    if (line === undefined) {
      line = { agents: [], refusals: [], due: [], first: 0, timer: undefined };
      client.filterLines.set(duration, line);
      this.#clients.add(client);
    }
    line.agents.push(agent);
    line.refusals.push(refusal);
    line.due.push(this.#clock.now() + duration);
    if (line.timer === undefined) this.#arm(client, duration, line, duration);
  }

  /** Forgets all filters of the client. What agents have of them is void, and is overwritten in time. */
  clearClient(client: Client): void {
    for (const { timer } of client.filterLines.values()) timer?.cancel();
    client.filterLines.clear();
    client.filterEpoch = this.nextEpoch();
    client.filterCount = client.voidFilters = 0;
    this.#clients.delete(client);
  }

  clearAgent(agent: AllocatorAgent): void {
    const { filters } = agent;
    agent.filters = new AgentFilters();
    agent.changed();
    for (const client of this.#clients) {
      const count = filters.count(client);
      if (count === 0) continue;
      client.filterCount -= count;
      client.voidFilters += count;
      if (client.voidFilters > tidyAbove && client.voidFilters > client.filterCount) this.#tidy(client);
    }
  }

  /** No timer runs any more. */
  stop(): void {
    for (const client of [...this.#clients]) this.clearClient(client);
  }

  #arm(client: Client, duration: number, line: FilterLine, wait: number): void {
    line.timer = this.#clock.delay(wait, () => this.#expire(client, duration, line));
  }

  #expire(client: Client, duration: number, line: FilterLine): void {
    // Cleared since.
    if (client.filterLines.get(duration) !== line) return;
    const now = this.#clock.now();
    let due = line.due[line.first];
    while (due !== undefined && due <= now) {
      const [agent, refusal] = [line.agents[line.first], line.refusals[line.first]];
      if (agent !== undefined && refusal !== undefined) end(client, agent, refusal);
      line.agents[line.first] = undefined;
      line.refusals[line.first] = undefined;
      due = line.due[++line.first];
    }
    if (due === undefined) return this.#drop(client, duration);
    if (line.first > line.due.length / 2) {
      for (const column of [line.agents, line.refusals, line.due]) column.splice(0, line.first);
      line.first = 0;
    }
    this.#arm(client, duration, line, due - now);
  }

  /** Agents come and go while somebody refuses for a year: what is void must not wait for its time. */
  #tidy(client: Client): void {
    client.voidFilters = 0;
    for (const [duration, line] of [...client.filterLines]) {
      const stands = line.agents.map((agent) => agent?.filters.has(client) === true);
      line.agents = line.agents.filter((_, at) => stands[at]);
      line.refusals = line.refusals.filter((_, at) => stands[at]);
      line.due = line.due.filter((_, at) => stands[at]);
      line.first = 0;
      line.timer?.cancel();
      const [next] = line.due;
      if (next === undefined) this.#drop(client, duration);
      else this.#arm(client, duration, line, Math.max(0, next - this.#clock.now()));
    }
  }

  #drop(client: Client, duration: number): void {
    client.filterLines.delete(duration);
    if (client.filterLines.size === 0) this.#clients.delete(client);
  }
}

function end(client: Client, agent: AllocatorAgent, refusal: Refusal): void {
  if (agent.filters.remove(client.slot, client.filterEpoch, refusal)) {
    client.filterCount--;
    agent.settledIn = -1;
  } else if (client.voidFilters > 0) {
    client.voidFilters--;
  }
}
