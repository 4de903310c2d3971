import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';

// Effects: addFramework makes it known (allocator, subscribers); attachConnection takes the new connection and starts
// heartbeats, detachConnection ends both; supersedeConnection tells the old connection "Framework failed over" and
// closes it; activate and deactivate speak to the allocator; discardOffers takes offers back silently, rescindOffers
// tells; announceUpdate tells agents and subscribers; removeFramework shuts it down on agents, kills its tasks and
// leaves it in the history.

/**
 * A framework at the master. `unknown` is before its first sign of life; `recovered` is known only from agents, after
 * a new master took over: it has no failover timer and lives until it subscribes.
 */
export const frameworkMachine = setup({
  types: {
    events: events('SUBSCRIBE', 'RECOVER', 'DISCONNECT', 'FAILOVER_TIMEOUT', 'TEARDOWN'),
  },
  actions: effects(
    'addFramework',
    'attachConnection',
    'supersedeConnection',
    'detachConnection',
    'sendSubscribed',
    'announceUpdate',
    'activate',
    'deactivate',
    'discardOffers',
    'rescindOffers',
    'startFailoverTimer',
    'stopFailoverTimer',
    'removeFramework',
  ),
}).createMachine({
  id: 'framework',
  initial: 'unknown',
  states: {
    unknown: {
      on: {
        SUBSCRIBE: { target: 'connected', actions: ['addFramework', 'attachConnection', 'sendSubscribed'] },
        RECOVER: { target: 'recovered', actions: 'addFramework' },
      },
    },
    recovered: {
      on: {
        SUBSCRIBE: {
          target: 'connected',
          actions: ['attachConnection', 'activate', 'sendSubscribed', 'announceUpdate'],
        },
        TEARDOWN: { target: 'completed', actions: 'removeFramework' },
      },
    },
    connected: {
      on: {
        SUBSCRIBE: {
          actions: ['supersedeConnection', 'discardOffers', 'attachConnection', 'sendSubscribed', 'announceUpdate'],
        },
        DISCONNECT: { target: 'disconnected', actions: ['detachConnection', 'deactivate', 'rescindOffers'] },
        TEARDOWN: {
          target: 'completed',
          actions: ['deactivate', 'discardOffers', 'removeFramework', 'detachConnection'],
        },
      },
    },
    disconnected: {
      entry: 'startFailoverTimer',
      exit: 'stopFailoverTimer',
      on: {
        SUBSCRIBE: {
          target: 'connected',
          actions: ['attachConnection', 'activate', 'sendSubscribed', 'announceUpdate'],
        },
        FAILOVER_TIMEOUT: { target: 'completed', actions: 'removeFramework' },
        TEARDOWN: { target: 'completed', actions: 'removeFramework' },
      },
    },
    completed: { type: 'final' },
  },
});

export type FrameworkState = StateOf<typeof frameworkMachine>;
export type FrameworkEvent = EventOf<typeof frameworkMachine>;
export type FrameworkEffect = EffectOf<typeof frameworkMachine>;

export const frameworkLifecycle = compile(frameworkMachine);
