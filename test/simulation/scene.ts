import { Agent } from '@mezzo/agent';
import { HierarchicalAllocator, Master } from '@mezzo/master';
import type { Simulation } from '@mezzo/process/testing';
import type { AllocatorState } from '../../packages/master/src/allocator/allocator-state.ts';
import type { MasterContext } from '../../packages/master/src/master-context.ts';
import type { FrameworkRecord } from './framework-record.ts';
import { agentNames, masterNames } from './settings.ts';

/** A law of the cluster was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** A master that has recovered the registry, as it is inside. */
export interface SeenMaster {
  readonly node: string;
  readonly context: MasterContext;
  readonly allocator: AllocatorState | undefined;
}

/** What can be seen of the cluster from outside of it: everything. */
export class Scene {
  readonly world: Simulation;
  readonly frameworks: readonly FrameworkRecord[];

  constructor(world: Simulation, frameworks: readonly FrameworkRecord[]) {
    this.world = world;
    this.frameworks = frameworks;
  }

  masters(): readonly SeenMaster[] {
    return masterNames.flatMap((node) => this.master(node) ?? []);
  }

  master(node: string): SeenMaster | undefined {
    if (!masterNames.includes(node)) return undefined;
    const runtime = this.world.runtime(node);
    const process = runtime?.cell('master')?.process;
    if (!(process instanceof Master) || process.known === undefined) return undefined;
    const allocator = runtime?.cell('allocator')?.process;
    return {
      node,
      context: process.known,
      allocator: allocator instanceof HierarchicalAllocator ? allocator.known : undefined,
    };
  }

  /** The process of an agent, unless it is down. */
  agent(node: string): Agent | undefined {
    if (!agentNames.includes(node)) return undefined;
    const process = this.world.runtime(node)?.cell('agent')?.process;
    return process instanceof Agent ? process : undefined;
  }

  /** Where the agent with an id is; the id, if it is down. */
  nodeOf(agentId: string): string {
    return this.agents().find(({ agent }) => agent['agentId'] === agentId)?.node ?? agentId;
  }

  agents(): readonly { readonly node: string; readonly agent: Agent }[] {
    return agentNames.flatMap((node) => {
      const agent = this.agent(node);
      return agent === undefined ? [] : [{ node, agent }];
    });
  }
}
