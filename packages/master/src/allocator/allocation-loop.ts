import type { AgentID } from '@mezzo/protocol';
import { AllocationRun, type RunOptions } from './allocation-run.ts';
import type { AllocatorMetrics } from './allocator-metrics.ts';
import type { AllocatorState } from './allocator-state.ts';

/** Milliseconds that a run takes at a time, so that others of the same event loop have their turns. */
const slice = 5;

export interface AllocationLoopPorts {
  /** Milliseconds. */
  now(): number;
  /** Calls in a later turn of the allocator. */
  later(call: () => void): void;
  state(): AllocatorState;
  options(): RunOptions;
  metrics(): AllocatorMetrics | undefined;
  /** Called after each slice with what it has allocated. */
  allocated(run: AllocationRun): void;
  done(run: AllocationRun): void;
}

/** When runs take place: what is triggered before a run's turn comes is served by that one, and a run goes on in slices. */
export class AllocationLoop {
  readonly #ports: AllocationLoopPorts;
  readonly #candidates = new Set<AgentID>();
  /** Frameworks that come or revive by the hundred need not name each agent. */
  #areAllCandidates = false;
  /** A run is to begin soon. */
  #isTriggered = false;
  #run: AllocationRun | undefined;

  constructor(ports: AllocationLoopPorts) {
    this.#ports = ports;
  }

  triggerAll(): void {
    this.#areAllCandidates = true;
    this.trigger([]);
  }

  trigger(agents: Iterable<AgentID>): void {
    for (const id of agents) this.#candidates.add(id);
    if (this.#isTriggered) return;
    this.#isTriggered = true;
    this.#ports.metrics()?.latency.start();
    if (this.#run === undefined) this.#ports.later(() => this.#start());
  }

  removed(agent: AgentID): void {
    this.#candidates.delete(agent);
  }

  /** Forgets what was triggered, and the run that is under way. */
  stop(): void {
    this.#candidates.clear();
    this.#areAllCandidates = this.#isTriggered = false;
    this.#run = undefined;
  }

  #start(): void {
    if (!this.#isTriggered || this.#run !== undefined) return;
    const { state, options, metrics } = this.#ports;
    this.#isTriggered = false;
    metrics()?.latency.stop();
    metrics()?.run.start();
    const candidates = this.#areAllCandidates ? state().agents.keys() : this.#candidates;
    this.#run = new AllocationRun(state(), candidates, options());
    this.#candidates.clear();
    this.#areAllCandidates = false;
    this.#continue(this.#run);
  }

  #continue(run: AllocationRun): void {
    // Stopped since.
    if (run !== this.#run) return;
    const { now, later, metrics, allocated, done } = this.#ports;
    const until = now() + slice;
    const isDone = run.advance(() => now() >= until);
    allocated(run);
    if (!isDone) return later(() => this.#continue(run));
    done(run);
    metrics()?.runs.increment();
    metrics()?.run.stop();
    this.#run = undefined;
    if (this.#isTriggered) later(() => this.#start());
  }
}
