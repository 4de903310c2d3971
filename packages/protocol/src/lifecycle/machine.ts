import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';

// Every event is raised once the registry has it.
//
// Effects: announceUnavailability tells the allocator, and takes back offers of the machine's agents; withdrawUnavailability
// the same when it will stay after all; removeAgents shuts the machine's agents down.

/** A machine in the maintenance schedule; mode names are Mesos's. */
export const machineMachine = setup({
  types: { events: events('SCHEDULE', 'UNSCHEDULE', 'TAKE_DOWN', 'BRING_UP') },
  actions: effects('announceUnavailability', 'withdrawUnavailability', 'removeAgents'),
}).createMachine({
  id: 'machine',
  initial: 'UP',
  states: {
    UP: { on: { SCHEDULE: { target: 'DRAINING', actions: 'announceUnavailability' } } },
    DRAINING: {
      on: {
        // At another time.
        SCHEDULE: { actions: 'announceUnavailability' },
        UNSCHEDULE: { target: 'UP', actions: 'withdrawUnavailability' },
        TAKE_DOWN: { target: 'DOWN', actions: 'removeAgents' },
      },
    },
    DOWN: {
      on: {
        SCHEDULE: { actions: 'announceUnavailability' },
        BRING_UP: { target: 'UP', actions: 'withdrawUnavailability' },
      },
    },
  },
});

export type MachineMode = StateOf<typeof machineMachine>;
export type MachineEvent = EventOf<typeof machineMachine>;
export type MachineEffect = EffectOf<typeof machineMachine>;

export const machineLifecycle = compile(machineMachine);
