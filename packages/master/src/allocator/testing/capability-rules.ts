import { allocatorMessages as messages, Resources } from '@mezzo/protocol';
import { interval } from './scripted-master.ts';
import type { Rule } from './rule.ts';
import { agent, framework, type Stage } from './stage.ts';

const [f, g] = [framework('f'), framework('g')];
const [a, b] = [agent('a'), agent('b')];
const whole = 'cpus:4;mem:4096';

/** Declines all it is offered until time is over. @returns the cpus it was offered at most */
async function mostOffered(stage: Stage, id: typeof f): Promise<number> {
  let most = 0;
  for (let period = 0; period < 10; period++) {
    await stage.runs(1);
    most = Math.max(most, stage.offered(id).scalar('cpus'));
    for (const offer of stage.offers(id)) stage.master.decline(offer);
  }
  return most;
}

/** What an allocator may do without, if it says so. */
export const capabilityRules: readonly Rule[] = [
  {
    title: 'does not offer what a framework declined for the time it gave, but offers it to others and afterwards',
    needs: 'filters',
    async show(stage) {
      stage.master.addFramework(f);
      stage.master.addAgent(a, whole);
      await stage.runs();
      for (const offer of stage.offers()) stage.master.decline(offer, 60);
      await stage.runs(30);
      stage.expect('', 'the framework has declined it for 60 s');
      await stage.runs(40);
      stage.expect(whole, 'the 60 s are over', f);
      for (const offer of stage.offers()) stage.master.decline(offer, 60);
      stage.master.addFramework(g);
      await stage.runs();
      stage.expect(whole, 'another framework came while the first does not want it', g);
    },
  },
  {
    title: 'offers more than what was declined at once, and all of it when the framework asks for offers',
    needs: 'filters',
    async show(stage) {
      stage.master.addFramework(f);
      stage.master.addAgent(a, whole);
      stage.master.addAgent(b, whole);
      await stage.runs();
      for (const offer of stage.offers()) stage.master.decline(offer, 3600);
      await stage.runs();
      stage.master.resizeAgent(a, Resources.parse('cpus:8;mem:4096'));
      await stage.runs();
      stage.expect('cpus:8;mem:4096', 'agent a is larger than what was declined of it', f);
      stage.master.revive(f);
      await stage.runs();
      stage.expect(whole, 'the framework asked for offers', f, b);
    },
  },
  {
    title: 'keeps roles within their limits',
    needs: 'quota',
    async show(stage) {
      stage.master.setQuota('research', { guarantees: {}, limits: { cpus: 6 } });
      stage.master.addFramework(f);
      for (const id of [a, b]) stage.master.addAgent(id, whole);
      await stage.runs(10);
      const cpus = stage.offered(f).scalar('cpus');
      stage.demand(cpus <= 6, `${cpus} cpus are offered to a role whose limit is 6`);
      stage.demand(cpus > 0, 'nothing is offered to a role that is below its limit');
    },
  },
  {
    title: 'keeps for a role what it is guaranteed, and gives it that',
    needs: 'quota',
    async show(stage) {
      stage.master.setQuota('production', { guarantees: { cpus: 4, mem: 4096 }, limits: {} });
      for (const id of [a, b]) stage.master.addAgent(id, whole);
      stage.master.addFramework(f);
      const most = await mostOffered(stage, f);
      stage.demand(most <= 4, `${most} of 8 cpus are offered to one role while 4 are guaranteed to another`);
      stage.master.addFramework(g, { roles: ['production'] });
      await stage.runs();
      const cpus = stage.offered(g).scalar('cpus');
      stage.demand(cpus >= 4, `${cpus} cpus are offered to a role that is guaranteed 4 when it comes`);
    },
  },
  {
    title: 'offers only agents on the whitelist',
    needs: 'whitelist',
    async show(stage) {
      stage.master.setWhitelist(['a']);
      for (const id of [a, b]) stage.master.addAgent(id, whole);
      stage.master.addFramework(f);
      await stage.runs();
      stage.expect(whole, 'only the host of agent a is on the whitelist');
      stage.expect(whole, 'only the host of agent a is on the whitelist', f, a);
      stage.master.setWhitelist(undefined);
      await stage.runs();
      stage.expect(whole, 'there is no whitelist any more', f, b);
    },
  },
  {
    title: 'offers nothing that is smaller than the master wants offers to be',
    needs: 'minAllocatable',
    async show(stage) {
      stage.master.begin({ minAllocatable: [{ cpus: 0.5 }, { mem: 512 }] });
      await stage.settle();
      stage.master.addFramework(f);
      stage.master.addAgent(a, 'cpus:0.4;mem:500');
      stage.master.addAgent(b, 'cpus:0.1;mem:512');
      await stage.runs();
      stage.expect('cpus:0.1;mem:512', 'an offer must hold cpus:0.5 or mem:512', f);
    },
  },
  {
    title: 'offers a framework nothing that is smaller than it wants offers to be',
    needs: 'minAllocatable',
    async show(stage) {
      stage.master.addFramework(f, { minAllocatable: { research: [{ cpus: 8 }, { mem: 8192 }] } });
      stage.master.addAgent(a, whole);
      stage.master.addAgent(b, 'cpus:1;mem:8192');
      await stage.runs();
      stage.expect('cpus:1;mem:8192', 'the framework wants cpus:8 or mem:8192', f);
      stage.master.addFramework(g);
      await stage.runs();
      stage.expect(whole, 'a framework came that is content with less', g, a);
    },
  },
  {
    title: 'keeps revocable resources and agents with GPUs for frameworks that know of them',
    needs: 'frameworkCapabilities',
    async show(stage) {
      stage.master.addFramework(f);
      const spare = { name: 'cpus', type: 'SCALAR', scalar: 2, revocable: true } as const;
      const revocable = Resources.of([spare]);
      stage.master.addAgent(a, Resources.parse('cpus:4').plus(revocable));
      stage.master.addAgent(b, 'cpus:4;gpus:1');
      await stage.runs();
      stage.expect('cpus:4', 'the framework has neither REVOCABLE_RESOURCES nor GPU_RESOURCES', f);
      stage.master.addFramework(g, { capabilities: ['REVOCABLE_RESOURCES', 'GPU_RESOURCES'] });
      await stage.runs();
      stage.expect('cpus:4;gpus:1', 'a framework with GPU_RESOURCES came', g, b);
      stage.demand(
        stage.offered(g, a).equals(revocable),
        'the revocable cpus of agent a are not offered to a framework with REVOCABLE_RESOURCES',
      );
    },
  },
  {
    title: 'reserves what an operator reserves, and refuses that where somebody has it',
    needs: 'conversions',
    async show(stage) {
      stage.master.addAgent(a, 'cpus:4');
      await stage.settle();
      const consumed = [...Resources.parse('cpus:3')];
      const converted = [...Resources.parse('cpus(production):3')];
      const body = { agentId: a, conversions: [{ consumed, converted }] };
      const first = stage.master.askAllocator(messages.UpdateAvailable, body);
      await stage.settle();
      stage.demand(first.answer !== undefined, 'UpdateAvailable was not answered');
      stage.demand(first.answer?.fault === undefined, `a reservation failed: ${String(first.answer?.fault)}`);
      const reserved = stage.books.agents.get(a);
      if (reserved !== undefined) reserved.total = Resources.parse('cpus:1;cpus(production):3');
      const second = stage.master.askAllocator(messages.UpdateAvailable, body);
      await stage.settle();
      stage.demand(second.answer?.fault !== undefined, 'what is not there was reserved');
      stage.master.addFramework(f);
      await stage.runs();
      stage.expect('cpus:1', 'an operator has reserved cpus:3 to the role production');
    },
  },
  {
    title: 'keeps to what a framework made of its offer',
    needs: 'conversions',
    async show(stage) {
      stage.master.addFramework(f);
      stage.master.addAgent(a, 'cpus:4');
      await stage.runs();
      const [offer] = stage.offers();
      stage.demand(offer !== undefined, 'nothing was offered');
      if (offer === undefined) return;
      const { frameworkId, agentId, resources } = offer;
      const role = 'research';
      const consumed = Resources.parse('cpus:3').allocate(role);
      const converted = Resources.parse('cpus(research):3').allocate(role);
      const conversions = [{ consumed: [...consumed], converted: [...converted] }];
      const book = stage.books.agents.get(a);
      if (book !== undefined) book.total = Resources.parse('cpus:1;cpus(research):3');
      stage.books.give(offer);
      stage.master.tell(messages.UpdateAllocation, { frameworkId, agentId, offered: [...resources], conversions });
      const rest = resources.minus(consumed).plus(converted);
      stage.master.tell(messages.RecoverResources, { frameworkId, agentId, resources: [...rest], isAllocated: false });
      stage.master.removeFramework(f);
      stage.master.addFramework(g, { roles: ['production'] });
      await stage.runs();
      stage.expect('cpus:1', `cpus:3 was reserved to the role research ${interval} ms ago`);
    },
  },
];
