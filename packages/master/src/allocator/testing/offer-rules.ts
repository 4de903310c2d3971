import { Resources } from '@mezzo/protocol';
import type { Rule } from './rule.ts';
import { agent, framework } from './stage.ts';

const [f, g] = [framework('f'), framework('g')];
const [a, b] = [agent('a'), agent('b')];
const whole = 'cpus:4;mem:4096;ports:[31000-31009]';

/** What is offered, and to whom. */
export const offerRules: readonly Rule[] = [
  {
    title: 'says that it listens when a master asks for it, and offers nothing before it knows of anything',
    async show(stage) {
      stage.demand(stage.master.initialized === 1, 'it did not answer InitializeAllocator with AllocatorInitialized');
      await stage.runs();
      stage.expect('', 'without agents and frameworks');
    },
  },
  {
    title: 'offers the agents that are there to a framework that comes',
    async show(stage) {
      stage.master.addAgent(a, whole);
      await stage.runs();
      stage.master.addFramework(f);
      await stage.runs();
      stage.expect(whole, 'a framework came', f, a);
    },
  },
  {
    title: 'offers an agent that comes to the frameworks that are there',
    async show(stage) {
      stage.master.addFramework(f);
      await stage.runs();
      stage.master.addAgent(a, whole);
      await stage.runs();
      stage.master.addAgent(b, whole);
      await stage.runs();
      for (const id of [a, b]) stage.expect(whole, 'an agent came', f, id);
    },
  },
  {
    title: 'offers nothing twice, and no more than an agent has',
    async show(stage) {
      for (const id of [f, g]) stage.master.addFramework(id);
      for (const id of [a, b]) stage.master.addAgent(id, whole);
      await stage.runs();
      stage.master.addFramework(framework('h'), { roles: ['production'] });
      await stage.runs(10);
      for (const id of [a, b]) stage.expect(whole, 'all is on offer', undefined, id);
    },
  },
  {
    title: 'counts what agents say is in use when they come',
    async show(stage) {
      stage.master.addFramework(f);
      await stage.settle();
      const resources = Resources.parse('cpus:3;mem:96').allocate('research');
      stage.master.addAgent(a, whole, { used: [{ frameworkId: f, agentId: a, role: 'research', resources }] });
      await stage.runs();
      stage.expect('cpus:1;mem:4000;ports:[31000-31009]', 'cpus:3;mem:96 was in use when the agent came');
    },
  },
  {
    title: 'counts what is held by a framework that comes later than its agents',
    async show(stage) {
      const resources = Resources.parse('cpus:3;mem:96').allocate('research');
      stage.master.addAgent(a, whole, { used: [{ frameworkId: f, agentId: a, role: 'research', resources }] });
      await stage.runs();
      stage.master.addFramework(f);
      stage.master.addFramework(g);
      await stage.runs();
      stage.expect('cpus:1;mem:4000;ports:[31000-31009]', 'cpus:3;mem:96 was in use when the agent came');
    },
  },
  {
    title: 'offers again what was declined without a time, and what tasks gave back',
    async show(stage) {
      stage.master.addFramework(f);
      stage.master.addAgent(a, whole);
      await stage.runs();
      for (const offer of stage.offers()) stage.master.decline(offer);
      await stage.runs();
      stage.expect(whole, 'all was declined', f);
      for (const offer of stage.offers()) stage.master.launch(offer);
      await stage.runs();
      stage.expect('', 'all is in use');
      for (const task of [...stage.books.tasks]) stage.master.endTask(task);
      await stage.runs();
      stage.expect(whole, 'all tasks have ended', f);
    },
  },
  {
    title: 'offers for a role that the framework is subscribed to, and not for one that it has left',
    async show(stage) {
      stage.master.addFramework(f, { roles: ['research', 'production'] });
      stage.master.addAgent(a, whole);
      await stage.runs();
      stage.expect(whole, 'a framework of two roles is there', f);
      const left = stage.offers()[0]?.role;
      stage.master.updateFramework(f, left === 'research' ? ['production'] : ['research']);
      await stage.settle();
      // Whose turn it is may go round.
      for (let turn = 0; turn < 6; turn++) {
        for (const offer of stage.offers()) stage.master.decline(offer);
        await stage.runs();
        stage.expect(whole, `the framework has left the role ${String(left)}`, f);
      }
    },
  },
  {
    title: 'offers nothing for roles that are suppressed, until they are revived',
    async show(stage) {
      stage.master.addFramework(f, { suppressedRoles: ['research'] });
      stage.master.addAgent(a, whole);
      await stage.runs();
      stage.expect('', 'the role of the framework was suppressed from the beginning');
      stage.master.revive(f);
      await stage.runs();
      stage.expect(whole, 'the role was revived', f);
      stage.master.suppress(f);
      await stage.settle();
      for (const offer of stage.offers()) stage.master.decline(offer);
      await stage.runs();
      stage.expect('', 'the role was suppressed');
      stage.master.revive(f, ['research']);
      await stage.runs();
      stage.expect(whole, 'the role was revived again', f);
    },
  },
  {
    title: 'suppresses and revives each role of a framework for itself',
    async show(stage) {
      stage.master.addFramework(f, { roles: ['production', 'research'] });
      stage.master.suppress(f, ['production']);
      stage.master.addAgent(a, whole);
      await stage.runs();
      stage.expect(whole, 'one of two roles is suppressed', f);
      stage.master.suppress(f, ['research']);
      await stage.settle();
      for (const offer of stage.offers()) stage.master.decline(offer);
      stage.master.revive(f, ['production']);
      await stage.runs();
      stage.expect(whole, 'the one of two suppressed roles was revived', f);
    },
  },
  {
    title: 'offers nothing to a framework that is deactivated, until it is activated',
    async show(stage) {
      stage.master.addFramework(f);
      stage.master.addAgent(a, whole);
      await stage.runs();
      stage.master.deactivateFramework(f);
      await stage.runs();
      stage.expect('', 'the framework was deactivated');
      stage.master.addFramework(g);
      await stage.runs();
      stage.expect(whole, 'another framework came', g);
      for (const offer of stage.offers()) stage.master.launch(offer);
      stage.master.activateFramework(f);
      stage.master.addAgent(b, whole);
      stage.master.removeFramework(g);
      await stage.runs();
      for (const id of [a, b]) stage.expect(whole, 'the framework was activated, and the other one is gone', f, id);
    },
  },
  {
    title: 'offers nothing to a framework that was removed, and takes back what it had',
    async show(stage) {
      stage.master.addFramework(f);
      stage.master.addAgent(a, whole);
      stage.master.addAgent(b, whole);
      await stage.runs();
      for (const offer of stage.offers(f, a)) stage.master.launch(offer);
      stage.master.removeFramework(f);
      await stage.runs();
      stage.expect('', 'the only framework was removed');
      stage.master.addFramework(g);
      await stage.runs();
      for (const id of [a, b]) stage.expect(whole, 'another framework came after it', g, id);
    },
  },
  {
    title: 'offers nothing of an agent that was removed',
    async show(stage) {
      for (const id of [a, b]) stage.master.addAgent(id, whole);
      await stage.runs();
      stage.master.removeAgent(a);
      stage.master.addFramework(f);
      await stage.runs();
      stage.expect(whole, 'one of two agents was removed', f, b);
      stage.master.removeAgent(b);
      stage.master.addFramework(g);
      await stage.runs();
      stage.expect('', 'both agents were removed');
      stage.master.addAgent(a, 'cpus:2');
      await stage.runs();
      stage.expect('cpus:2', 'the agent came back smaller');
    },
  },
  {
    title: 'offers nothing of an agent that is deactivated, until it is activated',
    async show(stage) {
      stage.master.addAgent(a, whole);
      stage.master.deactivateAgent(a);
      stage.master.addFramework(f);
      await stage.runs();
      stage.expect('', 'the agent is deactivated');
      stage.master.activateAgent(a);
      await stage.runs();
      stage.expect(whole, 'the agent was activated', f);
    },
  },
  {
    title: 'offers what an agent has gained, and not what it has lost',
    async show(stage) {
      stage.master.addFramework(f);
      stage.master.addAgent(a, 'cpus:2;mem:1024');
      await stage.runs();
      stage.master.resizeAgent(a, Resources.parse('cpus:6;mem:1024'));
      await stage.runs();
      stage.expect('cpus:6;mem:1024', 'the agent has 4 cpus more', f);
      stage.master.resizeAgent(a, Resources.parse('cpus:3;mem:512'));
      for (const offer of stage.offers()) stage.master.decline(offer);
      await stage.runs();
      stage.expect('cpus:3;mem:512', 'the agent has lost cpus:3;mem:512', f);
    },
  },
  {
    title: 'offers what is reserved only to its role, and to roles below it',
    async show(stage) {
      stage.master.addFramework(f);
      stage.master.addAgent(a, 'cpus:1;cpus(production):3');
      await stage.runs();
      stage.expect('cpus:1', 'no framework of the role production is there');
      for (const offer of stage.offers()) stage.master.launch(offer);
      stage.master.addFramework(g, { roles: ['production/batch'] });
      await stage.runs();
      stage.expect('cpus(production):3', 'a framework of the role production/batch came', g);
    },
  },
];
