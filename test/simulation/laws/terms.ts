import { compareTerms, type Term } from '@mezzo/protocol';
import type { FrameworkRecord } from '../framework-record.ts';
import { type Scene, Violation } from '../scene.ts';
import type { Handled, Law } from './law.ts';

/** Nothing that a leader of before says has an effect on an agent or a driver that has heard of a newer one. */
export class Terms implements Law {
  looks = 0;
  readonly #scene: Scene;
  /** The newest each one has seen, by address. */
  readonly #newest = new Map<string, Term>();
  #before: string | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  begins({ node, pid, event }: Handled): void {
    this.#before = undefined;
    if (event.kind !== 'message' || (pid.id !== 'agent' && pid.id !== 'scheduler')) return;
    const term = termOf(event.body);
    if (term === undefined) return;
    const newest = this.#newest.get(pid.address);
    if (newest === undefined || compareTerms(term, newest) > 0) this.#newest.set(pid.address, term);
    else if (compareTerms(term, newest) < 0) this.#before = this.#stateOf(node, pid.id);
  }

  ends({ node, pid, event }: Handled): void {
    if (this.#before === undefined) return;
    const before = this.#before;
    this.#before = undefined;
    this.looks++;
    const after = this.#stateOf(node, pid.id);
    if (before !== after)
      throw new Violation(`${pid.id} on ${node} took '${event.name}' of an older term: ${before} became ${after}`);
  }

  #stateOf(node: string, id: string): string {
    if (id === 'scheduler') return `${callsOf(this.#scene.frameworks, node)} calls`;
    const agent = this.#scene.agent(node);
    if (agent === undefined) return 'gone';
    const tasks = agent['frameworks'].all().flatMap(({ tasks: all, isTerminating }) => {
      return [...all.values()].map((task) => `${task.id} ${task.state}${isTerminating ? ' (ending)' : ''}`);
    });
    return `${agent['state']} ${agent['agentId'] ?? ''} ${agent['master']?.address ?? ''} ${tasks.join()}`;
  }
}

function callsOf(frameworks: readonly FrameworkRecord[], node: string): number {
  return frameworks.find(({ name }) => name === node)?.calls ?? 0;
}

function termOf(body: unknown): Term | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  if ('term' in body) return asTerm(body.term);
  // What a detector says.
  return 'leader' in body && typeof body.leader === 'object' && body.leader !== null && 'term' in body.leader
    ? asTerm(body.leader.term)
    : undefined;
}

function asTerm(value: unknown): Term | undefined {
  if (typeof value !== 'object' || value === null || !('created' in value) || !('revision' in value)) return undefined;
  const { created, revision } = value;
  return typeof created === 'number' && typeof revision === 'number' ? { created, revision } : undefined;
}
