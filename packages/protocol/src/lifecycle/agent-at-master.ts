import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';

// What must survive a failover is stored first: the states that end in -ing wait for the registrar's STORED, and ignore
// everything else meanwhile (the agent asks again).
//
// Effects: admit, storeReachable, storeUnreachable, storeRemoved ask the registrar; addAgent makes it known to
// subscribers; offerAgent gives the allocator what is free of it; confirm tells the agent that it is registered; reconcile compares tasks, executors and
// frameworks with what the agent reported; deactivate takes it from the allocator's offering and rescinds its offers;
// activate undoes that; loseVolatileTasks drops tasks of frameworks that do not checkpoint; removeAgent takes it from
// the allocator and rescinds its offers, settleTasks gives each of its tasks the event that fits the new state,
// sendFailure tells frameworks; announceRemoval tells subscribers.

/** An agent at the master. PING_TIMEOUT: it missed as many pings as are allowed and the removal rate limit lets it go. */
export const agentAtMasterMachine = setup({
  types: {
    events: events(
      'REGISTER',
      'REREGISTER',
      'STORED',
      'DISCONNECT',
      'PING_TIMEOUT',
      'REREGISTER_TIMEOUT',
      'UNREGISTER',
      'REPLACE',
    ),
  },
  actions: effects(
    'admit',
    'storeReachable',
    'storeUnreachable',
    'storeRemoved',
    'addAgent',
    'offerAgent',
    'confirm',
    'reconcile',
    'activate',
    'deactivate',
    'loseVolatileTasks',
    'removeAgent',
    'settleTasks',
    'sendFailure',
    'announceRemoval',
    'startPinging',
    'stopPinging',
    'startReregisterTimer',
    'stopReregisterTimer',
  ),
}).createMachine({
  id: 'agent-at-master',
  initial: 'unknown',
  states: {
    unknown: {
      on: {
        REGISTER: 'registering',
        REREGISTER: 'reregistering',
      },
    },
    registering: {
      entry: 'admit',
      on: { STORED: { target: 'registered', actions: ['addAgent', 'offerAgent', 'confirm'] } },
    },
    reregistering: {
      entry: 'storeReachable',
      on: { STORED: { target: 'registered', actions: ['addAgent', 'settleTasks', 'offerAgent', 'confirm'] } },
    },
    registered: {
      entry: 'startPinging',
      exit: 'stopPinging',
      initial: 'connected',
      on: {
        PING_TIMEOUT: 'markingUnreachable',
        UNREGISTER: 'removing',
      },
      states: {
        connected: {
          on: {
            REGISTER: { actions: 'confirm' },
            REREGISTER: { actions: ['reconcile', 'confirm'] },
            DISCONNECT: { target: 'disconnected', actions: ['deactivate', 'loseVolatileTasks'] },
          },
        },
        disconnected: {
          entry: 'startReregisterTimer',
          exit: 'stopReregisterTimer',
          on: {
            REREGISTER: { target: 'connected', actions: ['reconcile', 'activate', 'confirm'] },
            REREGISTER_TIMEOUT: '#agent-at-master.markingUnreachable',
            // Another agent registered at the same address: this one is not coming back.
            REPLACE: '#agent-at-master.removing',
          },
        },
      },
    },
    markingUnreachable: {
      entry: 'storeUnreachable',
      on: { STORED: { target: 'unreachable', actions: ['removeAgent', 'settleTasks', 'sendFailure'] } },
    },
    unreachable: {
      on: { REREGISTER: 'reregistering' },
    },
    removing: {
      entry: 'storeRemoved',
      on: {
        STORED: { target: 'removed', actions: ['removeAgent', 'settleTasks', 'sendFailure', 'announceRemoval'] },
      },
    },
    removed: { type: 'final' },
  },
});

export type AgentAtMasterState = StateOf<typeof agentAtMasterMachine>;
export type AgentAtMasterEvent = EventOf<typeof agentAtMasterMachine>;
export type AgentAtMasterEffect = EffectOf<typeof agentAtMasterMachine>;

export const agentAtMaster = compile(agentAtMasterMachine);
