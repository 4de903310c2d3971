import { expect } from 'chai';
import fc from 'fast-check';
import { schedulerMessages } from '@mezzo/protocol';
import { TestCluster } from './cluster.ts';
import { type FakeAgent, type FakeScheduler, reported, taskInfo } from './peers.ts';

type Step =
  | {
      readonly kind:
        | 'launch'
        | 'decline'
        | 'finish'
        | 'kill'
        | 'agentLost'
        | 'agentBack'
        | 'resubscribe'
        | 'suppress'
        | 'revive';
      readonly pick: number;
    }
  | { readonly kind: 'wait'; readonly pick: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'launch',
    'launch',
    'launch',
    'decline',
    'finish',
    'finish',
    'kill',
    'agentLost',
    'agentBack',
    'resubscribe',
    'suppress',
    'revive',
    'wait',
  ),
  pick: fc.nat(1000),
});

/** Plays random steps of two frameworks and three agents against the real master and allocator. */
class Play {
  readonly cluster: TestCluster;
  readonly agents: FakeAgent[] = [];
  readonly schedulers: FakeScheduler[] = [];
  #tasks = 0;
  /** What each agent runs, as `framework/task`. */
  readonly running = new Map<
    string,
    {
      readonly agent: FakeAgent;
      readonly scheduler: FakeScheduler;
      readonly taskId: string;
      readonly resources: string;
    }
  >();

  constructor(cluster: TestCluster) {
    this.cluster = cluster;
  }

  async begin(): Promise<void> {
    for (const node of ['agent-1', 'agent-2', 'agent-3'])
      this.agents.push(await this.cluster.agent(node, 'cpus:4;mem:512;ports:[1-20]'));
    for (const node of ['one', 'two'])
      this.schedulers.push(
        await this.cluster.scheduler(node, { checkpoint: node === 'one', failoverTimeout: 3_600_000 }),
      );
  }

  async play({ kind, pick }: Step): Promise<void> {
    const scheduler = this.schedulers[pick % this.schedulers.length];
    const agent = this.agents[pick % this.agents.length];
    if (scheduler === undefined || agent === undefined) return;
    const offer = scheduler.offers.at(-1 - (pick % 3));
    const running = [...this.running.values()][pick % Math.max(1, this.running.size)];
    switch (kind) {
      case 'launch': {
        if (offer === undefined) break;
        const taskId = `t${this.#tasks++}`;
        const resources = `cpus:${(pick % 9) / 2};mem:32;ports:[${1 + (pick % 10)}-${1 + (pick % 12)}]`.replace(
          /;ports:\[(\d+)-(\d+)\]/,
          (whole, from, to) => (Number(from) <= Number(to) ? whole : ''),
        );
        scheduler.launch(offer, [taskInfo(taskId, offer.agentId, resources)], pick % 3);
        break;
      }
      case 'decline':
        if (offer !== undefined) scheduler.decline(offer, pick % 3);
        break;
      case 'finish':
      case 'kill':
        if (running === undefined) break;
        this.running.delete(`${running.scheduler.id}/${running.taskId}`);
        running.agent.update(running.scheduler.id, running.taskId, kind === 'finish' ? 'TASK_FINISHED' : 'TASK_KILLED');
        break;
      case 'agentLost':
        agent.answersPings = false;
        await this.cluster.advance('90s');
        break;
      case 'agentBack':
        agent.answersPings = true;
        agent.reregister(
          [...this.running.values()]
            .filter((task) => task.agent === agent)
            .map((task) => reported(task.scheduler.id, agent.id, task.taskId, task.resources)),
        );
        break;
      case 'resubscribe':
        scheduler.subscribe({ id: scheduler.id, failoverTimeout: 3_600_000 });
        break;
      case 'suppress':
        scheduler.tell(schedulerMessages.Suppress, { frameworkId: scheduler.id, roles: [] });
        break;
      case 'revive':
        scheduler.tell(schedulerMessages.Revive, { frameworkId: scheduler.id, roles: [] });
        break;
      case 'wait':
        await this.cluster.advance(pick * 10);
        break;
    }
    await this.cluster.advance('30ms');
    this.#noteRuns();
  }

  #noteRuns(): void {
    for (const agent of this.agents) {
      for (const { kind, body } of agent.received.splice(0)) {
        if (kind !== 'agent.run-task') continue;
        const { frameworkId, task } = body as {
          readonly frameworkId: string;
          readonly task: {
            readonly taskId: string;
            readonly resources: readonly { readonly name: string; readonly type: string }[];
          };
        };
        const scheduler = this.schedulers.find(({ id }) => id === frameworkId);
        if (scheduler === undefined) continue;
        const resources = task.resources
          .map((resource) => ('scalar' in resource ? `${resource.name}:${String(resource.scalar)}` : ''))
          .filter((text) => text !== '')
          .join(';');
        this.running.set(`${frameworkId}/${task.taskId}`, { agent, scheduler, taskId: task.taskId, resources });
      }
    }
  }

  /** Used and offered never exceed what there is, and the allocator agrees with the master on what is left. */
  async check(): Promise<void> {
    let [master, allocator] = await this.#taken();
    // An offer of this very moment may be under way from the one to the other.
    if (master !== allocator) [master, allocator] = await this.#taken();
    expect(allocator).to.equal(master);
  }

  /** Cpus that are used or offered, as the master and as the allocator see it. */
  async #taken(): Promise<readonly [master: number, allocator: number]> {
    await this.cluster.advance('30ms');
    const { slaves, frameworks } = await this.cluster.state();
    let cpus = 0;
    for (const { id, resources, used_resources: used, offered_resources: offered } of slaves) {
      for (const name of ['cpus', 'mem']) {
        const taken = Number(used[name]) + Number(offered[name]);
        expect(taken, `${name} of ${id}`).to.be.at.most(Number(resources[name]));
      }
      cpus += Number(used['cpus']) + Number(offered['cpus']);
      const live = frameworks
        .flatMap(({ tasks }) => tasks)
        .filter((task) => task.slave_id === id && ['TASK_STAGING', 'TASK_RUNNING'].includes(task.state));
      if (live.length === 0) expect(used['cpus']).to.equal(0);
    }
    const { allocatorRuntime } = this.cluster;
    const allocator = await this.cluster.metric(
      'allocator/mesos/resources/cpus/offered_or_allocated',
      allocatorRuntime,
    );
    return [cpus, Number(allocator)];
  }
}

describe('accounting', () => {
  for (const exploded of [false, true]) {
    it(`what is offered, used and free adds up to each agent's total after any events${exploded ? ', with the allocator elsewhere' : ''}`, async function () {
      this.timeout(60_000);
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), fc.nat(1000), async (steps, seed) => {
          await using cluster = await TestCluster.start({ seed, exploded, agentPingTimeout: '15s' });
          const play = new Play(cluster);
          await play.begin();
          for (const each of steps) {
            await play.play(each);
            await play.check();
          }
          // At rest nothing is lost: whoever wants offers has all that is free.
          for (const scheduler of play.schedulers)
            scheduler.tell(schedulerMessages.Revive, { frameworkId: scheduler.id, roles: [] });
          await cluster.advance('12s');
          await play.check();
          for (const { resources, used_resources: used, offered_resources: offered, active, id } of (
            await cluster.state()
          ).slaves) {
            if (active) expect(Number(used['cpus']) + Number(offered['cpus']), id).to.equal(Number(resources['cpus']));
          }
        }),
        { numRuns: 30 },
      );
    });
  }
});
