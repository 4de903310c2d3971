import { expect } from 'chai';
import { dispatch, message, type WireSchema } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { fromMachine, machineEvents } from '@mezzo/process/xstate';
import { setup } from 'xstate';

type DoorEvent = { readonly type: 'OPEN' } | { readonly type: 'KNOCK'; readonly hard: boolean };

const door = setup({
  types: {
    context: {} as { readonly owner: string },
    input: {} as { readonly owner: string },
    events: {} as DoorEvent,
  },
  actions: { ring: (_args, _params: { readonly tone: number }) => {} },
  guards: { mayEnter: () => true },
}).createMachine({
  id: 'door',
  context: ({ input }) => ({ owner: input.owner }),
  initial: 'shut',
  states: {
    shut: { on: { OPEN: { target: 'open', guard: 'mayEnter', actions: { type: 'ring', params: { tone: 440 } } } } },
    open: {},
  },
});
const other = setup({ types: { events: {} as { readonly type: 'OTHER' } } }).createMachine({});
const Door = machineEvents<typeof door>('door');
const Other = machineEvents<typeof other>('other');
const Note = message<string>('note');
const owner = { owner: 'Ann' };
const schemaOf = <T>(): WireSchema<T> => ({
  '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [] }) },
});

// What is wrong here fails in the type check; what is run shows that the right form next to it works.
describe('fromMachine: types', () => {
  it('events are those of the machine', async () => {
    await using world = new Simulation();
    const runtime = await world.start('node');
    const pid = runtime.spawn(fromMachine(door, { input: owner, events: Door }));
    runtime.send(pid, Door, { type: 'KNOCK', hard: true });
    // @ts-expect-error no such event
    runtime.send(pid, Door, { type: 'BURN' });
    // @ts-expect-error the event's content is missing
    runtime.send(pid, Door, { type: 'KNOCK' });
    // @ts-expect-error no such event
    void dispatch(pid, (self) => self.transition({ type: 'BURN' }));
    // @ts-expect-error a schema of something else
    machineEvents<typeof door>('door', schemaOf<{ readonly type: 'BURN' }>());
    machineEvents<typeof door>('door', schemaOf<DoorEvent>());
    await world.settle();
    const snapshot = await dispatch(pid, (self) => self.snapshot);
    const value: 'shut' | 'open' = snapshot.value;
    const context: { readonly owner: string } = snapshot.context;
    expect(value).to.equal('shut');
    expect(context).to.deep.equal(owner);
    // @ts-expect-error no such state
    expect(snapshot.matches('ajar')).to.equal(false);
  });

  it('options are those of the machine', () => {
    const processes = [
      fromMachine(other),
      fromMachine(door, { input: owner }),
      fromMachine(door, {
        input: owner,
        exited: ({ id }) => ({ type: 'KNOCK', hard: id === 'police' }),
        receive: (install) => install(Note, (text) => (text === 'open' ? { type: 'OPEN' } : undefined)),
        provide: () => ({ actions: { ring: (_, { tone }) => tone.toFixed() }, guards: { mayEnter: () => false } }),
      }),
      // @ts-expect-error the machine needs input
      fromMachine(door),
      // @ts-expect-error the machine needs input
      fromMachine(door, { id: 'door' }),
      // @ts-expect-error the machine needs other input
      fromMachine(door, { input: { owner: 1 } }),
      // @ts-expect-error the events of another machine
      fromMachine(door, { input: owner, events: Other }),
      // @ts-expect-error no such event
      fromMachine(door, { input: owner, exited: () => ({ type: 'BURN' }) }),
      // @ts-expect-error no such event
      fromMachine(door, { input: owner, receive: (install) => install(Note, () => ({ type: 'BURN' })) }),
      // @ts-expect-error no such action
      fromMachine(door, { input: owner, provide: () => ({ actions: { burn: () => {} } }) }),
      // @ts-expect-error no such parameter
      fromMachine(door, { input: owner, provide: () => ({ actions: { ring: (_, { loud }) => loud } }) }),
    ];
    expect(new Set(processes).size).to.equal(11);
  });
});
