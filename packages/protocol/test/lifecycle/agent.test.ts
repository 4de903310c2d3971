import { expect } from 'chai';
import { agentLifecycle, agentMachine } from '../../src/lifecycle/index.ts';
import { agreesWithXstate, reachesAllStates, tell, type Row } from './story.ts';

describe('agent', () => {
  it('begins recovering, with nothing to do', () => {
    expect(agentLifecycle.initial).to.equal('recovering');
    expect(agentLifecycle.initialEffects).to.deep.equal([]);
  });

  tell(agentLifecycle, {
    'looks for a leader once it has recovered, and registers with it': [
      ['recovering', 'RECOVERED', 'disconnected', 'detectLeader'],
      ['disconnected', 'LEADER_FOUND', 'registering', 'detectLeader startAttempts'],
      ['registering', 'REGISTERED', 'running', 'stopAttempts awaitPing resumeUpdates'],
    ],

    'registers anew with each new leader': [
      ['registering', 'LEADER_FOUND', 'registering', 'stopAttempts detectLeader startAttempts'],
      ['running', 'LEADER_FOUND', 'registering', 'stopAwaitingPing pauseUpdates detectLeader startAttempts'],
    ],

    'without a leader looks for the next': [
      ['disconnected', 'LEADER_LOST', 'disconnected', 'detectLeader'],
      ['registering', 'LEADER_LOST', 'disconnected', 'stopAttempts detectLeader'],
      ['running', 'LEADER_LOST', 'disconnected', 'stopAwaitingPing pauseUpdates detectLeader'],
    ],

    'registers again with a master that may have lost it': ['DISCONNECTED_PING', 'PING_TIMEOUT', 'LINK_BROKEN'].map(
      (event): Row => ['running', event, 'registering', 'stopAwaitingPing pauseUpdates startAttempts'],
    ),

    'is kept registered by pings, and by late answers': ['CONNECTED_PING', 'REGISTERED'].map((event): Row => [
      'running',
      event,
      'running',
      'awaitPing',
    ]),

    'that shuts down registers no more': [
      ['disconnected', 'SHUTDOWN', 'terminating', ''],
      ['registering', 'SHUTDOWN', 'terminating', 'stopAttempts'],
      ['running', 'SHUTDOWN', 'terminating', 'stopAwaitingPing pauseUpdates'],
    ],
  });

  it('comes back from terminating by nothing', () => {
    expect(agentLifecycle.states.filter((state) => agentLifecycle.isFinal(state))).to.deep.equal(['terminating']);
  });

  reachesAllStates(agentLifecycle);
  agreesWithXstate(agentMachine, agentLifecycle);
});
