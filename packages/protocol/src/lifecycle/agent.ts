import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';

// Events: LEADER_LOST is also said of a leader whose reign is over; LINK_BROKEN, PING_TIMEOUT and DISCONNECTED_PING (a
// ping that says so) are the ways to learn that the master may not have the agent any more.
//
// Effects: detectLeader asks for the next leader; startAttempts registers with the leader after a random wait, again and
// again; resumeUpdates and pauseUpdates speak to the status update manager; awaitPing (re)starts the time in which a ping
// must come.

/**
 * An agent as it sees itself: recovering until what an earlier agent left is cleaned up, disconnected without a leader to
 * register with, registering until it answers, running, terminating while the last tasks end.
 */
export const agentMachine = setup({
  types: {
    events: events(
      'RECOVERED',
      'LEADER_FOUND',
      'LEADER_LOST',
      'REGISTERED',
      'CONNECTED_PING',
      'DISCONNECTED_PING',
      'PING_TIMEOUT',
      'LINK_BROKEN',
      'SHUTDOWN',
    ),
  },
  actions: effects(
    'detectLeader',
    'startAttempts',
    'stopAttempts',
    'awaitPing',
    'stopAwaitingPing',
    'resumeUpdates',
    'pauseUpdates',
  ),
}).createMachine({
  id: 'agent',
  initial: 'recovering',
  states: {
    // It has no tasks whose end it would have to wait for: told to shut down, it is gone at once.
    recovering: {
      on: { RECOVERED: { target: 'disconnected', actions: 'detectLeader' } },
    },
    disconnected: {
      on: {
        LEADER_FOUND: { target: 'registering', actions: 'detectLeader' },
        LEADER_LOST: { actions: 'detectLeader' },
        SHUTDOWN: 'terminating',
      },
    },
    registering: {
      entry: 'startAttempts',
      exit: 'stopAttempts',
      on: {
        LEADER_FOUND: { target: 'registering', reenter: true, actions: 'detectLeader' },
        LEADER_LOST: { target: 'disconnected', actions: 'detectLeader' },
        REGISTERED: 'running',
        SHUTDOWN: 'terminating',
      },
    },
    running: {
      entry: ['awaitPing', 'resumeUpdates'],
      exit: ['stopAwaitingPing', 'pauseUpdates'],
      on: {
        LEADER_FOUND: { target: 'registering', actions: 'detectLeader' },
        LEADER_LOST: { target: 'disconnected', actions: 'detectLeader' },
        // A late answer to an earlier attempt.
        REGISTERED: { actions: 'awaitPing' },
        CONNECTED_PING: { actions: 'awaitPing' },
        DISCONNECTED_PING: 'registering',
        PING_TIMEOUT: 'registering',
        LINK_BROKEN: 'registering',
        SHUTDOWN: 'terminating',
      },
    },
    terminating: { type: 'final' },
  },
});

export type AgentState = StateOf<typeof agentMachine>;
export type AgentEvent = EventOf<typeof agentMachine>;
export type AgentEffect = EffectOf<typeof agentMachine>;

export const agentLifecycle = compile(agentMachine);
