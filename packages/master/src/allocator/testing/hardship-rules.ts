import { allocatorMessages as messages, Resources } from '@mezzo/protocol';
import type { Rule } from './rule.ts';
import { agent, framework, type Stage } from './stage.ts';

const [f, g, nobody] = [framework('f'), framework('g'), framework('nobody')];
const [a, b, nowhere] = [agent('a'), agent('b'), agent('nowhere')];
const whole = 'cpus:4;mem:4096';

async function worksStill(stage: Stage, when: string): Promise<void> {
  await stage.settle();
  stage.master.addFramework(g);
  stage.master.addAgent(b, whole);
  await stage.runs();
  stage.expect(whole, when, undefined, b);
}

/** What must not bring it down, and masters that come and go. */
export const hardshipRules: readonly Rule[] = [
  {
    title: 'passes over frameworks and agents that it does not know',
    async show(stage) {
      const { master } = stage;
      const resources = [...Resources.parse('cpus:1').allocate('research')];
      master.tell(messages.RemoveFramework, { frameworkId: nobody });
      master.tell(messages.ActivateFramework, { frameworkId: nobody });
      master.tell(messages.DeactivateFramework, { frameworkId: nobody });
      master.tell(messages.SuppressOffers, { frameworkId: nobody, roles: [] });
      master.tell(messages.ReviveOffers, { frameworkId: nobody, roles: ['nothing'] });
      const lists = { roles: ['research'], suppressedRoles: [], capabilities: [], minAllocatable: {} };
      master.tell(messages.UpdateFramework, { frameworkId: nobody, ...lists });
      master.tell(messages.RemoveAgent, { agentId: nowhere });
      master.tell(messages.ActivateAgent, { agentId: nowhere });
      master.tell(messages.DeactivateAgent, { agentId: nowhere });
      master.tell(messages.AddResourceProvider, { agentId: nowhere, total: resources, used: [] });
      const info = { hostname: 'nowhere', resources: [], attributes: {}, url: '' };
      master.tell(messages.UpdateAgent, { agentId: nowhere, agent: info, total: resources });
      master.tell(messages.UpdateUnavailability, { agentId: nowhere, unavailability: { start: 0 } });
      master.tell(messages.UpdateInverseOffer, { agentId: nowhere, frameworkId: nobody });
      const held = { frameworkId: nobody, agentId: nowhere, resources };
      master.tell(messages.TransitionOfferedToAllocated, held);
      master.tell(messages.RecoverResources, { ...held, isAllocated: true, filters: { refuseSeconds: 5 } });
      master.tell(messages.UpdateAllocation, {
        ...{ frameworkId: nobody, agentId: nowhere, offered: resources },
        conversions: [{ consumed: resources, converted: [] }],
      });
      master.tell(messages.UpdateQuota, { role: 'nobody/has/it', quota: { guarantees: {}, limits: {} } });
      master.tell(messages.UpdateWeights, { weights: [{ role: 'nobody/has/it', weight: 2 }] });
      master.tell(messages.UpdateWhitelist, {});
      await worksStill(stage, 'unknown frameworks and agents were named');
    },
  },
  {
    title: 'passes over what makes no sense',
    async show(stage) {
      const { master } = stage;
      master.addFramework(f);
      master.addAgent(a, 'cpus:1');
      await stage.runs();
      const amount = (scalar: number) =>
        ({ name: 'cpus', type: 'SCALAR', scalar, allocationRole: 'research' }) as const;
      for (const scalar of [-1, 0, Number.NaN, Infinity, 2 ** 53]) {
        const held = { frameworkId: f, agentId: a, resources: [amount(scalar)] };
        master.tell(messages.RecoverResources, { ...held, isAllocated: false, filters: { refuseSeconds: scalar } });
        master.tell(messages.TransitionOfferedToAllocated, held);
        const guarantees = { cpus: scalar };
        master.tell(messages.UpdateQuota, { role: 'senseless', quota: { guarantees, limits: guarantees } });
        master.tell(messages.UpdateWeights, { weights: [{ role: 'senseless', weight: scalar }] });
      }
      // Taken back, or it would be a guarantee like any other.
      master.tell(messages.UpdateQuota, { role: 'senseless', quota: { guarantees: {}, limits: {} } });
      master.tell(messages.RecoverResources, { frameworkId: f, agentId: a, resources: [], isAllocated: false });
      const ports = {
        name: 'ports',
        type: 'RANGES',
        ranges: [{ begin: 9, end: 1 }],
        allocationRole: 'research',
      } as const;
      master.tell(messages.RecoverResources, { frameworkId: f, agentId: a, resources: [ports], isAllocated: false });
      master.tell(messages.UpdateAllocation, {
        ...{ frameworkId: f, agentId: a, offered: [amount(1)] },
        conversions: [{ consumed: [amount(7)], converted: [amount(9)] }],
      });
      await stage.settle();
      // More than it ever had does not come back.
      master.tell(messages.RecoverResources, {
        ...{ frameworkId: f, agentId: a, resources: [amount(64)], isAllocated: false },
      });
      stage.books.offers.length = 0;
      await stage.runs();
      await worksStill(stage, 'senseless bodies were sent');
    },
  },
  {
    title: 'hears nobody but its master, and nothing that is malformed',
    async show(stage) {
      const stranger = await stage.stranger();
      stage.master.addFramework(f);
      stage.master.addAgent(a, whole);
      await stage.runs();
      const resources = stage.offers().flatMap((offer) => [...offer.resources]);
      stranger.tell(messages.RecoverResources, { frameworkId: f, agentId: a, resources, isAllocated: false });
      const total = [...Resources.parse('cpus:64')];
      const info = { hostname: 'b', resources: [], attributes: {}, url: '' };
      stranger.tell(messages.AddAgent, { agentId: b, agent: info, capabilities: [], total, used: [] });
      stranger.tell(messages.UpdateAgent, { agentId: a, agent: info, total });
      stranger.tell(messages.RemoveFramework, { frameworkId: f });
      for (const kind of Object.values(messages))
        for (const body of [undefined, 7, {}, { agentId: 7, frameworkId: null, resources: [{}] }])
          stranger.tellAnything(kind, body);
      await stage.runs();
      stage.expect(whole, 'a stranger has spoken', f, a);
      for (const offer of stage.offers()) stage.master.decline(offer);
      await stage.runs();
      stage.expect(whole, 'a stranger has spoken', f, a);
    },
  },
  {
    title: 'stays right when frameworks and agents go while it allocates',
    async show(stage) {
      const agents = Array.from({ length: 40 }, (_, index) => agent(`a${index}`));
      for (const id of [f, g]) stage.master.addFramework(id);
      for (const id of agents) stage.master.addAgent(id, whole);
      // It has heard of nothing of that yet.
      for (const id of agents.slice(0, 10)) stage.master.removeAgent(id);
      for (const id of agents.slice(10, 20)) stage.master.deactivateAgent(id);
      stage.master.removeFramework(f);
      await stage.runs();
      stage.master.activateFramework(g);
      for (const id of agents.slice(10, 20)) stage.master.activateAgent(id);
      await stage.runs();
      for (const id of agents.slice(10)) stage.expect(whole, 'ten agents and a framework went at once', g, id);
    },
  },
  {
    title: 'forgets everything when a master begins anew',
    async show(stage) {
      stage.master.addFramework(f);
      stage.master.addAgent(a, whole);
      await stage.runs();
      for (const offer of stage.offers()) stage.master.decline(offer, 3600);
      await stage.settle();
      stage.books.clear();
      stage.master.begin();
      await stage.runs();
      stage.demand(stage.master.initialized === 2, 'it did not answer the second InitializeAllocator');
      stage.expect('', 'the master has told nothing yet after it began anew');
      stage.master.addAgent(a, 'cpus:2');
      stage.master.addFramework(f);
      await stage.runs();
      stage.expect('cpus:2', 'the master began anew with a smaller agent', f);
    },
  },
  {
    title: 'serves a master that was started again, and forgets what the one before had said',
    async show(stage) {
      stage.master.addFramework(f);
      stage.master.addAgent(a, whole);
      await stage.runs();
      await stage.replaceMaster();
      await stage.runs();
      stage.expect('', 'the master of these frameworks and agents is gone');
      stage.master.begin();
      await stage.settle();
      stage.demand(stage.master.initialized === 1, 'it did not answer the InitializeAllocator of the second master');
      stage.master.addFramework(g);
      await stage.runs();
      stage.expect('', 'the second master has told of no agent');
      stage.master.addAgent(b, whole);
      await stage.runs();
      stage.expect(whole, 'the second master has told of an agent', g, b);
    },
  },
];
