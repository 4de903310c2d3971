import type { Random } from '@mezzo/process';
import type { Simulation } from '@mezzo/process/testing';
import { Resources } from '@mezzo/protocol';
import type { Offered } from './books.ts';
import { agent, framework, type Stage } from './stage.ts';

/** Things that happen in one walk. */
const steps = 60;
const frameworks = ['f', 'g', 'h', 'i'].map((name) => framework(name));
const agents = ['a', 'b', 'c', 'd', 'e'].map((name) => agent(name));
const roles = ['research', 'production', 'production/batch'];
const totals = [
  'cpus:4;mem:4096',
  'cpus:8;mem:1024;ports:[31000-31009]',
  'cpus:2.5;mem:333;disk:1000',
  'cpus:1;cpus(production):3;mem:512',
  'cpus(research):2;mem(production):512;racks:{r1,r2}',
];
/** Seconds for which offers are declined at most. */
const longestRefusal = 30;

/** One thing that can happen; says what it was, or undefined if it could not happen now. */
type Event = (stage: Stage, random: Random) => string | undefined;

function oneOf<T>(items: readonly T[], random: Random): T | undefined {
  return items[Math.floor(random.next() * items.length)];
}

function someRoles(random: Random): readonly string[] {
  const some = roles.filter(() => random.next() < 0.5);
  return some.length === 0 ? ['research'] : some;
}

/** An event that concerns one of the frameworks that are there. */
function ofFramework(
  what: string,
  act: (stage: Stage, id: (typeof frameworks)[number], random: Random) => void,
): Event {
  return (stage, random) => {
    const id = oneOf([...stage.books.frameworks.keys()], random);
    if (id === undefined) return undefined;
    act(stage, id, random);
    return `${what} ${id}`;
  };
}

function ofAgent(what: string, act: (stage: Stage, id: (typeof agents)[number], random: Random) => void): Event {
  return (stage, random) => {
    const id = oneOf([...stage.books.agents.keys()], random);
    if (id === undefined) return undefined;
    act(stage, id, random);
    return `${what} ${id}`;
  };
}

function ofHeld(
  what: string,
  list: (stage: Stage) => readonly Offered[],
  act: (stage: Stage, held: Offered, random: Random) => void,
): Event {
  return (stage, random) => {
    const held = oneOf(list(stage), random);
    if (held === undefined) return undefined;
    const { frameworkId, agentId, resources } = held;
    act(stage, held, random);
    return `${what} ${String(resources.unallocate())} of ${agentId} at ${frameworkId}`;
  };
}

const offers = (stage: Stage): readonly Offered[] => stage.books.offers;
const tasks = (stage: Stage): readonly Offered[] => stage.books.tasks;

const addFramework: Event = ({ books, master }, random) => {
  const id = oneOf(
    frameworks.filter((name) => !books.frameworks.has(name)),
    random,
  );
  if (id === undefined) return undefined;
  const subscribed = someRoles(random);
  master.addFramework(id, { roles: subscribed });
  return `framework ${id} comes, of ${subscribed.join(', ')}`;
};

const addAgent: Event = ({ books, master }, random) => {
  const id = oneOf(
    agents.filter((name) => !books.agents.has(name)),
    random,
  );
  const total = oneOf(totals, random);
  if (id === undefined || total === undefined) return undefined;
  master.addAgent(id, total);
  return `agent ${id} comes, with ${total}`;
};

const events: readonly Event[] = [
  ...[addFramework, addFramework, addFramework, addAgent, addAgent, addAgent, addAgent],
  ofFramework('removes framework', ({ master }, id) => master.removeFramework(id)),
  ofFramework('deactivates framework', ({ master }, id) => master.deactivateFramework(id)),
  ofFramework('activates framework', ({ master }, id) => master.activateFramework(id)),
  ofFramework('suppresses framework', ({ master }, id, random) =>
    master.suppress(id, random.next() < 0.5 ? [] : ['production']),
  ),
  ofFramework('revives framework', ({ master }, id) => master.revive(id)),
  ofFramework('changes the roles of framework', ({ master }, id, random) =>
    master.updateFramework(id, someRoles(random)),
  ),
  ofAgent('removes agent', ({ master }, id) => master.removeAgent(id)),
  ofAgent('deactivates agent', ({ master }, id) => master.deactivateAgent(id)),
  ofAgent('activates agent', ({ master }, id) => master.activateAgent(id)),
  ofAgent('enlarges agent', ({ books, master }, id) => {
    const total = books.agents.get(id)?.total ?? Resources.empty;
    master.resizeAgent(id, total.plus(Resources.parse('cpus:1;mem:64')));
  }),
  ofHeld('declines', offers, ({ master }, offer) => master.decline(offer)),
  ofHeld('declines for a while', offers, ({ master }, offer, random) =>
    master.decline(offer, Math.ceil(random.next() * longestRefusal)),
  ),
  ofHeld('uses', offers, ({ master }, offer) => master.launch(offer)),
  ofHeld('uses a part of', offers, usePart),
  ofHeld('ends', tasks, ({ master }, task) => master.endTask(task)),
];

/** Half a cpu is used, and the rest comes back. */
function usePart({ books, master }: Stage, offer: Offered): void {
  const part = Resources.parse('cpus:0.5').allocate(offer.role);
  if (!offer.resources.contains(part)) return;
  books.give(offer);
  const used = { ...offer, resources: part };
  const rest = { ...offer, resources: offer.resources.minus(part) };
  books.offers.push(used, rest);
  master.launch(used);
  if (rest.resources.isEmpty) books.give(rest);
  else master.decline(rest);
}

/**
 * Sixty things that happen to a cluster, drawn from the world's seed. What the allocator offers is checked at once against
 * what is free; in the end, when all tasks have ended and only a new framework is active, that one must be offered all there is: what is offered,
 * used and free adds up to the total, and nothing was forgotten.
 */
export async function walk(world: Simulation, stage: Stage): Promise<void> {
  for (let step = 1; step <= steps; step++) {
    world.act(`step ${step}`, (random) => {
      const did = oneOf(events, random)?.(stage, random);
      if (did !== undefined) world.note(did);
    });
    // At times several things happen before the allocator hears of the first.
    const draw = world.random.next();
    if (draw < 0.4) await stage.settle();
    else if (draw < 0.7) await stage.runs(1);
  }
  await stage.settle();
  for (const task of [...stage.books.tasks]) stage.master.endTask(task);
  for (const id of stage.books.frameworks.keys()) stage.master.deactivateFramework(id);
  for (const id of stage.books.agents.keys()) stage.master.activateAgent(id);
  await stage.runs();
  const heir = framework('heir');
  stage.master.addFramework(heir, { roles });
  await stage.runs();
  for (const [id, { total }] of stage.books.agents) {
    const offered = stage.offered(heir, id);
    stage.demand(
      offered.equals(total),
      `all tasks have ended and no other framework is active, and of ${String(total)} of agent ${id} only ${String(offered) || 'nothing'} is offered to the one that is`,
    );
  }
}
