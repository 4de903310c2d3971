import { expect } from 'chai';
import fc from 'fast-check';
import { conversionsOf, ResourceLimits, ResourceQuantities, Resources } from '@mezzo/protocol';
import type { AllocationBooks, Held } from './allocation-books.ts';
import type { AllocatorWorld } from './allocator-world.ts';
import { type AllocatedEntry, reserved, textOf } from './allocated-entry.ts';
import type { FakeMaster } from './fake-master.ts';

export const interval = 1000;
export const roles = ['r1', 'r2', 'r3', 'r1/s'] as const;
export const limitedRoles = ['r1', 'r2', 'r3'] as const;
const frameworks = ['f1', 'f2', 'f3', 'f4'] as const;
const agents = ['a1', 'a2', 'a3', 'a4'] as const;
const totals = [
  'cpus:2;mem:100',
  'cpus:1.001;mem:50.5;ports:[1-5]',
  'cpus:1;cpus(r1):1;mem:30',
  'cpus:3;cpus{REV}:2;mem:10',
  'cpus:0.333;cpus(r2):0.5;mem(r1):10;ports(r1/s):[7-9]',
  'mem:7.777;mem(r1):1',
  'cpus:1;disk:20;disk[v:data:rw]<SHARED>:5',
  'mem:9;disk(r1)[w:data:rw]<SHARED>:3;disk[v:data:rw]<SHARED>:5',
  'cpus:1;cpus(reservations: [(STATIC, r1), (DYNAMIC, r1/s)]):1.5;mem(r1):4',
] as const;
const amounts = ['cpus:1', 'cpus:2.5;mem:20', 'mem:64', 'cpus:0.001', 'cpus:8;mem:400'] as const;

interface Model {
  readonly books: AllocationBooks;
}

/** Something that happens, told to the allocator and to the books. */
class Step implements fc.AsyncCommand<Model, AllocatorWorld> {
  readonly #text: string;
  readonly #isPossible: (books: AllocationBooks) => boolean;
  readonly #act: (books: AllocationBooks, master: FakeMaster, setting: AllocatorWorld) => void | Promise<void>;

  constructor(
    text: string,
    isPossible: (books: AllocationBooks) => boolean,
    act: (books: AllocationBooks, master: FakeMaster, setting: AllocatorWorld) => void | Promise<void>,
  ) {
    this.#text = text;
    this.#isPossible = isPossible;
    this.#act = act;
  }

  check({ books }: Model): boolean {
    return this.#isPossible(books);
  }

  act(books: AllocationBooks, master: FakeMaster, setting: AllocatorWorld): void | Promise<void> {
    return this.#act(books, master, setting);
  }

  async run({ books }: Model, setting: AllocatorWorld): Promise<void> {
    await this.act(books, setting.master, setting);
    const metrics = await setting.metrics();
    books.enter(setting.master.take());
    books.agree(metrics);
  }

  toString(): string {
    return this.#text;
  }
}

/** What a framework may be able to do beside serving several roles. */
export const abilities = ['REVOCABLE_RESOURCES', 'SHARED_RESOURCES', 'RESERVATION_REFINEMENT'] as const;

const aFramework = fc.constantFrom(...frameworks);
const anAgent = fc.constantFrom(...agents);
const someRoles = fc.subarray([...roles], { minLength: 1 });
const anyRoles = fc.subarray([...roles]);
const aTotal = fc.constantFrom(...totals);
const place = fc.nat(20);
const refusal = fc.constantFrom(undefined, 0, 1, 2, 5, 60);

const isThere = (id: string) => (books: AllocationBooks) => books.frameworks.has(id) || books.agents.has(id);
const isAbsent = (id: string) => (books: AllocationBooks) => !isThere(id)(books);

const addFramework = fc
  .tuple(aFramework, someRoles, anyRoles, fc.boolean(), fc.subarray([...abilities]))
  .map(([id, own, suppressed, isActive, able]) => {
    const capabilities = ['MULTI_ROLE', ...able];
    const text = `add ${id} in ${own.join(', ')}, ${isActive ? '' : 'in'}active, suppressed: ${suppressed.join(', ') || 'none'}, ${able.join(', ')}`;
    return new Step(text, isAbsent(id), (books, master) => {
      const wanted = suppressed.filter((role) => own.includes(role));
      books.frameworks.set(id, {
        roles: new Set(own),
        suppressed: new Set<string>(wanted),
        isActive,
        takesRevocable: able.includes('REVOCABLE_RESOURCES'),
        takesShared: able.includes('SHARED_RESOURCES'),
        takesRefined: able.includes('RESERVATION_REFINEMENT'),
        capabilities,
      });
      master.framework(id, own, { capabilities, active: isActive, suppressed: wanted });
    });
  });

const updateFramework = fc.tuple(aFramework, someRoles, anyRoles).map(([id, own, suppressed]) => {
  const text = `update ${id} to ${own.join(', ')}, suppressed: ${suppressed.join(', ') || 'none'}`;
  return new Step(text, isThere(id), (books, master) => {
    const booked = books.frameworks.get(id);
    if (booked === undefined) return;
    const wanted = new Set<string>(suppressed.filter((role) => own.includes(role)));
    const now = new Set<string>(own);
    books.forgetFilters(
      ({ framework, role }) =>
        framework === id && (!now.has(role) || (booked.suppressed.has(role) && !wanted.has(role))),
    );
    Object.assign(booked, { roles: now, suppressed: wanted });
    master.updateFramework(id, own, { capabilities: booked.capabilities, suppressed: [...wanted] });
  });
});

const removeFramework = aFramework.map(
  (id) =>
    new Step(`remove ${id}`, isThere(id), (books, master) => {
      books.frameworks.delete(id);
      books.forget(({ framework }) => framework === id);
      master.removeFramework(id);
    }),
);

const activation = fc.tuple(aFramework, fc.boolean()).map(
  ([id, isActive]) =>
    new Step(`${isActive ? '' : 'de'}activate ${id}`, isThere(id), (books, master) => {
      const booked = books.frameworks.get(id);
      if (booked !== undefined) booked.isActive = isActive;
      if (isActive) return master.activate(id);
      books.forgetFilters(({ framework }) => framework === id);
      master.deactivate(id);
    }),
);

const suppression = fc.tuple(aFramework, anyRoles, fc.boolean()).map(([id, given, isRevival]) => {
  const text = `${isRevival ? 'revive' : 'suppress'} ${id} in ${given.join(', ') || 'all roles'}`;
  return new Step(text, isThere(id), (books, master) => {
    const booked = books.frameworks.get(id);
    if (booked === undefined) return;
    const named = given.length === 0 ? [...booked.roles] : given.filter((role) => booked.roles.has(role));
    // No role at all would mean every one.
    if (named.length === 0) return;
    if (isRevival) {
      for (const role of named) booked.suppressed.delete(role);
      books.forgetFilters(({ framework, role }) => framework === id && named.includes(role));
      master.revive(id, named);
    } else {
      for (const role of named) booked.suppressed.add(role);
      master.suppress(id, named);
    }
  });
});

/** With or without something that a framework, which need not be known yet, uses there already. */
const addAgent = fc
  .tuple(anAgent, aTotal, fc.option(fc.tuple(aFramework, fc.constantFrom(...roles))))
  .map(([id, total, user]) => {
    const resources = Resources.parse('cpus:0.3');
    const isHeld = user !== null && Resources.parse(total).contains(resources);
    const text = isHeld ? `, of which ${user[0]} in ${user[1]} uses ${textOf(resources)}` : '';
    return new Step(`add ${id} with ${total}${text}`, isAbsent(id), (books, master) => {
      books.agents.set(id, { total: Resources.parse(total), isActive: true });
      if (!isHeld) return master.agent(id, total);
      const [framework, role] = user;
      books.held.push({ framework, role, agent: id, resources, isUsed: true });
      master.agent(id, total, { used: { [framework]: String(resources.allocate(role)) } });
    });
  });

const removeAgent = anAgent.map(
  (id) =>
    new Step(`remove ${id}`, isThere(id), (books, master) => {
      books.agents.delete(id);
      books.forget(({ agent }) => agent === id);
      master.removeAgent(id);
    }),
);

const resizeAgent = fc.tuple(anAgent, aTotal).map(
  ([id, total]) =>
    new Step(`resize ${id} to ${total}`, isThere(id), (books, master) => {
      const booked = books.agents.get(id);
      if (booked !== undefined) booked.total = Resources.parse(total);
      master.updateAgent(id, { total });
    }),
);

const activateAgent = fc.tuple(anAgent, fc.boolean()).map(
  ([id, isActive]) =>
    new Step(`${isActive ? '' : 'de'}activate ${id}`, isThere(id), (books, master) => {
      const booked = books.agents.get(id);
      if (booked !== undefined) booked.isActive = isActive;
      if (isActive) master.activateAgent(id);
      else master.deactivateAgent(id);
    }),
);

const changeWhitelist = fc.option(fc.subarray([...agents]), { nil: undefined }).map(
  (hosts) =>
    new Step(`whitelist ${hosts?.join(', ') ?? 'all'}`, always, (books, master) => {
      books.whitelist = hosts;
      master.whitelist(hosts);
    }),
);

/** A step with one of the holdings. */
const withHeld = (
  text: string,
  at: number,
  which: (one: Held) => boolean,
  act: (books: AllocationBooks, master: FakeMaster, one: Held) => void,
): Step => {
  const pick = (books: AllocationBooks): Held | undefined => {
    const candidates = books.held.filter(which);
    return candidates[at % candidates.length];
  };
  return new Step(
    `${text} the ${at}th`,
    (books) => pick(books) !== undefined,
    (books, master) => {
      const one = pick(books);
      if (one !== undefined) act(books, master, one);
    },
  );
};
const isOffered = ({ isUsed }: Held): boolean => !isUsed;

const decline = fc.tuple(place, refusal).map(([at, seconds]) =>
  withHeld(`decline, for ${seconds ?? 'no'} s,`, at, isOffered, (books, master, one) => {
    books.replace(one);
    if (seconds !== undefined) books.refuse(one, seconds, interval);
    master.recover(entryOf(one), seconds);
  }),
);

const accept = fc.tuple(place, refusal).map(([at, seconds]) =>
  withHeld(`launch on half, and refuse the rest for ${seconds ?? 'no'} s, of`, at, isOffered, (books, master, one) => {
    const half = halfOf(one.resources);
    const rest = { ...one, resources: one.resources.minus(half) };
    const used = { ...one, resources: half, isUsed: true };
    books.replace(one, used);
    if (!half.isEmpty) master.launch(entryOf(used));
    if (seconds !== undefined) books.refuse(rest, seconds, interval);
    if (!rest.resources.isEmpty) master.recover(entryOf(rest), seconds);
  }),
);

const finish = place.map((at) =>
  withHeld(
    'finish',
    at,
    ({ isUsed }) => isUsed,
    (books, master, one) => {
      books.replace(one);
      master.finish(entryOf(one));
    },
  ),
);

const reserveOffered = place.map((at) =>
  withHeld('reserve half of what is on offer of', at, isOffered, (books, master, one) => {
    const plain = halfOf(one.resources.unreserved().nonRevocable());
    if (plain.isEmpty || !books.totalOf(one.agent).contains(plain)) return;
    const operation = { type: 'RESERVE', resources: reserved(one.role, textOf(plain)) } as const;
    const conversions = conversionsOf(operation);
    const converted = conversions.reduce((resources, conversion) => resources.apply(conversion), one.resources);
    books.replace(one, { ...one, resources: converted });
    books.convertTotal(one.agent, conversions);
    master.operate(entryOf(one), operation);
  }),
);

const reserveFree = fc.tuple(anAgent, fc.constantFrom(...roles), fc.constantFrom('cpus:0.25', 'mem:5')).map(
  ([id, role, amount]) =>
    new Step(`reserve ${amount} of ${id} to ${role}`, isThere(id), async (books, master, { world }) => {
      const operation = { type: 'RESERVE', resources: reserved(role, amount) } as const;
      const isFree = books.freeOf(id).contains(Resources.parse(amount));
      const answer = master.updateAvailable(id, operation);
      await world.settle();
      expect(answer.get().fault === undefined, `${amount} free: ${isFree}`).to.equal(isFree);
      if (isFree) books.convertTotal(id, conversionsOf(operation));
    }),
);

const changeQuota = fc
  .tuple(fc.constantFrom(...limitedRoles), fc.constantFrom('', ...amounts), fc.constantFrom('', ...amounts))
  .map(([role, guaranteed, more]) => {
    const guarantees = ResourceQuantities.parse(guaranteed);
    // A limit below what is guaranteed makes no sense: masters refuse it.
    const limit = guarantees.plus(ResourceQuantities.parse(more));
    const limits = more === '' ? '' : [...limit].map(([name, amount]) => `${name}:${amount}`).join(';');
    return new Step(
      `guarantee ${role} ${guaranteed || 'nothing'}, limit it to ${limits || 'all'}`,
      always,
      (books, master) => {
        books.quotas.set(role, { guarantees, limits: ResourceLimits.of(more === '' ? [] : [...limit]) });
        master.quota(role, guaranteed, limits);
      },
    );
  });

const changeWeight = fc
  .tuple(fc.constantFrom(...roles), fc.constantFrom(0.5, 1, 3))
  .map(
    ([role, weight]) => new Step(`weigh ${role} ${weight}`, always, (_, master) => master.weights({ [role]: weight })),
  );

const wait = fc.integer({ min: 1, max: 3 }).map(
  (seconds) =>
    new Step(`wait ${seconds} s`, always, async (books, master, { world }) => {
      for (let run = 0; run < seconds; run++) {
        books.now += interval;
        await world.advance(interval);
        const given = master.take();
        books.enter(given);
        if (given.length === 0) books.nobodyMissesAnything();
      }
    }),
);

/** Several things at once: one run comes after all of them. */
const together = fc
  .array(fc.oneof(addAgent, decline, accept, finish, suppression, activation, updateFramework, changeQuota), {
    minLength: 2,
    maxLength: 4,
  })
  .map(
    (steps) =>
      new Step(`at once: ${steps.join(' and ')}`, always, async (books, master, setting) => {
        await Promise.all(steps.map(async (step) => step.check({ books }) && step.act(books, master, setting)));
      }),
  );

function always(): boolean {
  return true;
}

function entryOf({ framework, role, agent, resources }: Held): AllocatedEntry {
  return { framework, role, agent, resources: textOf(resources) };
}

/** Half of each scalar that is not shared, to the thousandth. */
function halfOf(resources: Resources): Resources {
  return Resources.of(
    [...resources.nonShared()].flatMap((resource) =>
      resource.type === 'SCALAR'
        ? [{ ...resource, scalar: Math.floor(Math.round(resource.scalar * 1000) / 2) / 1000 }]
        : [],
    ),
  );
}

/** What there is at the beginning. */
export const populations = fc.array(fc.oneof(addFramework, addAgent), { minLength: 4, maxLength: 8 });

const often = [wait, wait, decline, accept, finish];
const sometimes = [
  addFramework,
  addAgent,
  updateFramework,
  removeFramework,
  activation,
  suppression,
  removeAgent,
  resizeAgent,
  activateAgent,
  changeWhitelist,
  reserveOffered,
  reserveFree,
  changeQuota,
  changeWeight,
  together,
];

/** Sequences of what can happen to an allocator. */
export const histories = fc.commands([...often, ...often, ...sometimes], { size: '+1', maxCommands: 60 });
