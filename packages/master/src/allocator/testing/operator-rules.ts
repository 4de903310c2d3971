import { allocatorMessages as messages, Resources, type Unavailability } from '@mezzo/protocol';
import type { Offered } from './books.ts';
import type { Rule } from './rule.ts';
import { agent, framework, type Stage } from './stage.ts';

const [f, g] = [framework('f'), framework('g')];
const [a, b, c] = [agent('a'), agent('b'), agent('c')];
const whole = 'cpus:4;mem:4096';
const wholeOfResearch = Resources.parse(whole).allocate('research');
const soon: Unavailability = { start: 2_000_000_000_000, duration: 3_600_000 };
const later: Unavailability = { start: 2_100_000_000_000 };

/** Framework f has all of agent a, g all of agent b. */
function shareOut({ master }: Stage): void {
  for (const [frameworkId, agentId] of [
    [f, a],
    [g, b],
  ] as const) {
    master.addFramework(frameworkId);
    const held: Offered = { frameworkId, agentId, role: 'research', resources: wholeOfResearch };
    master.addAgent(agentId, whole, { used: [held] });
  }
}

/** Exactly these frameworks were asked for agent a since the last time that this was asked. */
function expectAsked(stage: Stage, frameworks: readonly string[], unavailability: Unavailability, when: string): void {
  const asked = stage.master.takeInverseOffers();
  const text = asked.map((inverse) => `framework ${inverse.frameworkId} for agent ${inverse.agentId}`).join(', ');
  const wanted = frameworks.map((id) => `framework ${id} for agent ${a}`).join(', ');
  stage.demand(
    text === wanted,
    `${when}: expected inverse offers to ${wanted || 'nobody'}, and they were made to ${text || 'nobody'}`,
  );
  for (const { unavailability: told } of asked) {
    const isSame = told.start === unavailability.start && told.duration === unavailability.duration;
    stage.demand(
      isSame,
      `${when}: the inverse offer says ${JSON.stringify(told)}, not ${JSON.stringify(unavailability)}`,
    );
  }
}

/** How much of what was offered to both, as often as it was all declined, was offered to g: 0 to 1. */
async function partOfSecond(stage: Stage): Promise<number> {
  let [first, second] = [0, 0];
  for (let period = 0; period < 25; period++) {
    await stage.runs(1);
    first += stage.offered(f).scalar('cpus');
    second += stage.offered(g).scalar('cpus');
    for (const offer of stage.offers()) stage.master.decline(offer);
  }
  stage.demand(first + second > 0, 'nothing is offered to either of two frameworks');
  return second / (first + second);
}

async function expectPart(stage: Stage, weights: string, wanted: number): Promise<void> {
  const part = await partOfSecond(stage);
  const told = `${Math.round(part * 100)} % of the cpus were offered to the second of two roles in 25 runs`;
  stage.demand(Math.abs(part - wanted) < 0.1, `${told}, not about ${wanted * 100} %: their weights are ${weights}`);
}

/** Maintenance, weights, and where frameworks want to be; an allocator may do without each, if it says so. */
export const operatorRules: readonly Rule[] = [
  {
    title: 'asks who holds something of an agent that will be away to give it back, once until they answer',
    needs: 'maintenance',
    async show(stage) {
      shareOut(stage);
      await stage.runs();
      expectAsked(stage, [], soon, 'nobody will be away');
      stage.master.setUnavailability(a, soon);
      await stage.runs();
      expectAsked(stage, [f], soon, 'agent a will be away, and only framework f holds something of it');
      await stage.runs(10);
      expectAsked(stage, [], soon, 'framework f was asked for agent a and has not answered');
      stage.master.addAgent(c, whole, {
        used: [{ frameworkId: g, agentId: c, role: 'research', resources: wholeOfResearch }],
        unavailability: soon,
      });
      await stage.runs();
      const asked = stage.master.takeInverseOffers().map(({ frameworkId, agentId }) => `${frameworkId} ${agentId}`);
      stage.demand(
        asked.join() === `${g} ${c}`,
        'no inverse offer was made for an agent that came with a time to be away',
      );
    },
  },
  {
    title: 'does not ask again who declined or accepted with a time before it is over, unless the maintenance changes',
    needs: 'maintenance',
    async show(stage) {
      shareOut(stage);
      stage.master.setUnavailability(a, soon);
      await stage.runs();
      expectAsked(stage, [f], soon, 'agent a will be away');
      for (const status of ['DECLINE', 'ACCEPT'] as const) {
        stage.master.answerInverseOffer(f, a, status, 60);
        await stage.runs(30);
        expectAsked(stage, [], soon, `framework f has answered ${status} for 60 s`);
        await stage.runs(40);
        expectAsked(stage, [f], soon, `the 60 s for which framework f has answered ${status} are over`);
      }
      stage.master.answerInverseOffer(f, a, 'ACCEPT', 3600);
      stage.master.setUnavailability(a, later);
      await stage.runs();
      expectAsked(stage, [f], later, 'agent a will be away at another time than what framework f has accepted');
      stage.master.answerInverseOffer(f, a, 'DECLINE');
      stage.master.setUnavailability(a, undefined);
      await stage.runs();
      expectAsked(stage, [], later, 'agent a will not be away after all');
    },
  },
  {
    title: 'says how inverse offers were answered, until the maintenance changes',
    needs: 'maintenance',
    async show(stage) {
      const answers = async (): Promise<string> => {
        const asked = stage.master.askAllocator(messages.GetInverseOfferStatuses, {});
        await stage.settle();
        stage.demand(asked.answer !== undefined, 'GetInverseOfferStatuses was not answered');
        const statuses = asked.answer?.statuses ?? [];
        return statuses.map(({ agentId, frameworkId, status }) => `${agentId} ${frameworkId} ${status}`).join();
      };
      shareOut(stage);
      stage.master.setUnavailability(a, soon);
      await stage.runs();
      stage.master.answerInverseOffer(f, a, 'ACCEPT', 60);
      await stage.settle();
      const told = await answers();
      stage.demand(told === 'a f ACCEPT', `framework f has accepted for agent a; the statuses are: ${told || 'none'}`);
      stage.master.setUnavailability(a, undefined);
      await stage.settle();
      const left = await answers();
      stage.demand(left === '', `agent a will not be away any more; the statuses are: ${left}`);
    },
  },
  {
    title: 'offers a framework with constraints only agents that meet them, until it drops them',
    needs: 'offerConstraints',
    async show(stage) {
      const isFast = { selector: { attribute: 'disk' }, predicate: { type: 'TEXT_EQUALS', value: 'ssd' } } as const;
      stage.master.addFramework(f, { offerConstraints: { research: [[isFast]] } });
      stage.master.addAgent(a, whole, { info: { attributes: { disk: 'ssd' } } });
      stage.master.addAgent(b, whole, { info: { attributes: { disk: 'hdd' } } });
      stage.master.addAgent(c, whole);
      await stage.runs();
      stage.expect(whole, 'the framework wants the attribute disk to be ssd', f);
      stage.expect(whole, 'the framework wants the attribute disk to be ssd', f, a);
      stage.master.updateFramework(f, ['research']);
      await stage.runs();
      stage.expect('cpus:12;mem:12288', 'the framework has no constraints any more', f);
    },
  },
  {
    title: 'keeps agents of other regions than the master for frameworks that know of regions',
    needs: 'faultDomains',
    async show(stage) {
      stage.master.begin({ domain: { region: 'here', zone: 'one' } });
      await stage.settle();
      stage.master.addFramework(f);
      stage.master.addAgent(a, whole, { info: { domain: { region: 'here', zone: 'two' } } });
      stage.master.addAgent(b, whole, { info: { domain: { region: 'there', zone: 'one' } } });
      stage.master.addAgent(c, whole);
      await stage.runs();
      stage.expect(whole, 'agent a is of the region of the master', f, a);
      stage.expect('', 'agent b is of another region, and the framework is not REGION_AWARE', f, b);
      stage.expect(whole, 'agent c is of no region', f, c);
      stage.master.addFramework(g, { capabilities: ['MULTI_ROLE', 'REGION_AWARE'] });
      await stage.runs();
      stage.expect(whole, 'a framework that is REGION_AWARE came', g, b);
    },
  },
  {
    title: 'shares in proportion to the weights of roles in the long run, also after they have changed',
    needs: 'weights',
    async show(stage) {
      stage.master.setWeights({ research: 1, production: 3 });
      stage.master.addFramework(f);
      stage.master.addFramework(g, { roles: ['production'] });
      for (let i = 0; i < 16; i++) stage.master.addAgent(agent(`agent-${i}`), whole);
      await expectPart(stage, '1 and 3', 0.75);
      stage.master.setWeights({ research: 3, production: 1 });
      await expectPart(stage, 'now 3 and 1', 0.25);
    },
  },
];
