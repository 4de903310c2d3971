import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';

// What must survive a failover is stored first: the states that end in -ing wait for the registrar's STORED, and ignore
// everything else meanwhile (the agent asks again). RECOVER and RECOVER_UNREACHABLE are for what the registry has when a
// master begins; CHANGED is a REREGISTER of an agent that describes itself differently; PING_TIMEOUT comes when it missed
// as many pings as are allowed, and REREGISTER_TIMEOUT when it stayed away for too long, both as soon as the removal rate
// limit lets it go.
//
// Effects: admit, storeReachable, storeUpdate, storeUnreachable, storeGone, storeRemoved ask the registrar; introduce takes
// what the agent says of itself; addAgent makes it known; offerAgent gives the allocator what is free of it; confirm tells
// the agent that it is registered; reconcile compares tasks, executors and frameworks with what the agent reported;
// deactivate takes it from the allocator's offering and rescinds its offers; activate undoes that; loseVolatileTasks drops
// tasks of frameworks that do not checkpoint; removeAgent takes it from the allocator and rescinds its offers, settleTasks
// gives each of its tasks the event that fits the new state, sendFailure tells frameworks; shutdownAgent tells the agent to
// end for good.

/** An agent at the master. Whether operators want it to be offered is another machine, `scheduling`. */
export const agentAtMasterMachine = setup({
  types: {
    events: events(
      'RECOVER',
      'RECOVER_UNREACHABLE',
      'REGISTER',
      'REREGISTER',
      'CHANGED',
      'STORED',
      'DISCONNECT',
      'PING_TIMEOUT',
      'REREGISTER_TIMEOUT',
      'UNREGISTER',
      'REPLACE',
      'MARK_GONE',
      'TAKE_DOWN',
    ),
  },
  actions: effects(
    'admit',
    'storeReachable',
    'storeUpdate',
    'storeUnreachable',
    'storeGone',
    'storeRemoved',
    'introduce',
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
    'shutdownAgent',
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
        RECOVER: 'recovered',
        RECOVER_UNREACHABLE: 'unreachable',
        REGISTER: 'registering',
        REREGISTER: 'reregistering',
      },
    },
    // Admitted before this master led, and not back yet.
    recovered: {
      on: {
        REREGISTER: 'reregistering',
        REREGISTER_TIMEOUT: 'markingUnreachable',
        MARK_GONE: 'markingGone',
      },
    },
    registering: {
      entry: 'admit',
      on: { STORED: { target: 'registered', actions: ['introduce', 'addAgent', 'offerAgent', 'confirm'] } },
    },
    reregistering: {
      entry: 'storeReachable',
      on: {
        STORED: { target: 'registered', actions: ['introduce', 'addAgent', 'settleTasks', 'offerAgent', 'confirm'] },
      },
    },
    registered: {
      entry: 'startPinging',
      exit: 'stopPinging',
      initial: 'connected',
      on: {
        PING_TIMEOUT: 'markingUnreachable',
        UNREGISTER: 'removing',
        MARK_GONE: 'markingGone',
        // Its machine goes into maintenance.
        TAKE_DOWN: { target: 'removing', actions: 'shutdownAgent' },
      },
      states: {
        connected: {
          on: {
            REGISTER: { actions: 'confirm' },
            REREGISTER: { actions: ['introduce', 'reconcile', 'confirm'] },
            CHANGED: 'updating',
            DISCONNECT: { target: 'disconnected', actions: ['deactivate', 'loseVolatileTasks'] },
          },
        },
        updating: {
          entry: 'storeUpdate',
          on: {
            STORED: { target: 'connected', actions: ['introduce', 'reconcile', 'offerAgent', 'confirm'] },
            DISCONNECT: { target: 'disconnected', actions: ['deactivate', 'loseVolatileTasks'] },
          },
        },
        disconnected: {
          entry: 'startReregisterTimer',
          exit: 'stopReregisterTimer',
          on: {
            REREGISTER: { target: 'connected', actions: ['introduce', 'reconcile', 'activate', 'confirm'] },
            CHANGED: 'updating',
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
      on: {
        REREGISTER: 'reregistering',
        MARK_GONE: 'markingGone',
      },
    },
    markingGone: {
      entry: 'storeGone',
      on: { STORED: { target: 'gone', actions: ['shutdownAgent', 'removeAgent', 'settleTasks', 'sendFailure'] } },
    },
    gone: { type: 'final' },
    removing: {
      entry: 'storeRemoved',
      on: { STORED: { target: 'removed', actions: ['removeAgent', 'settleTasks', 'sendFailure'] } },
    },
    removed: { type: 'final' },
  },
});

export type AgentAtMasterState = StateOf<typeof agentAtMasterMachine>;
export type AgentAtMasterEvent = EventOf<typeof agentAtMasterMachine>;
export type AgentAtMasterEffect = EffectOf<typeof agentAtMasterMachine>;

export const agentAtMaster = compile(agentAtMasterMachine);
