import type { MasterContext } from '../master-context.ts';
import { collectGarbage } from '../registrar/index.ts';
import type { Agents } from './agents.ts';

/** What a master does with the agents of the registry: it waits for them, gives them up, and forgets them at last. */
export class Recovery {
  readonly #context: MasterContext;
  readonly #agents: Agents;

  constructor(context: MasterContext, agents: Agents) {
    this.#context = context;
    this.#agents = agents;
  }

  begin(): void {
    const { registry, allocator, options, recoveredAgents } = this.#context;
    const { quotas, weights } = registry.state;
    this.#agents.recover();
    for (const [role, quota] of quotas) allocator.setQuota(role, quota);
    if (weights.size > 0) allocator.setWeights(Object.fromEntries(weights));
    allocator.recover(recoveredAgents.size);
    const expected = recoveredAgents.size;
    if (expected > 0) this.#context.delay(options.agentReregisterTimeout, () => this.#giveUp(expected));
    this.#collectGarbage();
  }

  #giveUp(expected: number): void {
    const { recoveredAgents, options, removals, metrics, lost } = this.#context;
    const limit = options.recoveryAgentRemovalLimit;
    if (recoveredAgents.size / expected > limit) {
      return lost(
        `${recoveredAgents.size} of ${expected} agents did not come back: more than recoveryAgentRemovalLimit ${limit} allows to give up`,
      );
    }
    const why = `agent did not reregister within ${options.agentReregisterTimeout / 1000}secs after master failover`;
    for (const agent of recoveredAgents.values()) {
      metrics.counter('slave_unreachable_scheduled').increment();
      removals.permit(() => {
        if (agent.state === 'recovered') {
          metrics.counter('recovery_slave_removals').increment();
          this.#agents.giveUp(agent, why);
        } else metrics.counter('slave_unreachable_canceled').increment();
      });
    }
  }

  #collectGarbage(): void {
    const { registry, options, unreachableAgents, now } = this.#context;
    this.#context.delay(options.registryGcInterval, () => {
      const { unreachable, gone } = registry.state;
      const operation = collectGarbage(
        { unreachable: unreachable.values(), gone: gone.values() },
        now(),
        options.garbage,
      );
      if (operation !== undefined) {
        registry.change(operation).onReady(() => {
          for (const id of operation.unreachable) if (!unreachable.has(id)) unreachableAgents.delete(id);
        });
      }
      this.#collectGarbage();
    });
  }
}
