import { expect } from 'chai';
import { agentAtMaster, agentAtMasterMachine } from '../../src/lifecycle/index.ts';
import { agreesWithXstate, reachesAllStates, tell } from './story.ts';

describe('agent at the master', () => {
  it('begins unknown, with nothing to do', () => {
    expect(agentAtMaster.initial).to.equal('unknown');
    expect(agentAtMaster.initialEffects).to.deep.equal([]);
  });

  tell(agentAtMaster, {
    'is registered once its admission is stored': [
      ['unknown', 'REGISTER', 'registering', 'admit'],
      ['registering', 'STORED', 'registered.connected', 'addAgent offerAgent confirm startPinging'],
    ],

    'that lost the answer is told again': [['registered.connected', 'REGISTER', 'registered.connected', 'confirm']],

    'that the master does not know comes back with its tasks': [
      ['unknown', 'REREGISTER', 'reregistering', 'storeReachable'],
      ['unreachable', 'REREGISTER', 'reregistering', 'storeReachable'],
      ['reregistering', 'STORED', 'registered.connected', 'addAgent settleTasks offerAgent confirm startPinging'],
    ],

    'that registers again while connected is compared with what the master knows': [
      ['registered.connected', 'REREGISTER', 'registered.connected', 'reconcile confirm'],
    ],

    'that breaks its connection gets no offers until it registers again': [
      [
        'registered.connected',
        'DISCONNECT',
        'registered.disconnected',
        'deactivate loseVolatileTasks startReregisterTimer',
      ],
      [
        'registered.disconnected',
        'REREGISTER',
        'registered.connected',
        'stopReregisterTimer reconcile activate confirm',
      ],
    ],

    'becomes unreachable when it misses its pings or stays disconnected, once that is stored': [
      ['registered.connected', 'PING_TIMEOUT', 'markingUnreachable', 'stopPinging storeUnreachable'],
      [
        'registered.disconnected',
        'PING_TIMEOUT',
        'markingUnreachable',
        'stopReregisterTimer stopPinging storeUnreachable',
      ],
      [
        'registered.disconnected',
        'REREGISTER_TIMEOUT',
        'markingUnreachable',
        'stopReregisterTimer stopPinging storeUnreachable',
      ],
      ['markingUnreachable', 'STORED', 'unreachable', 'removeAgent settleTasks sendFailure'],
    ],

    'is removed when it says goodbye or another one takes its address, once that is stored': [
      ['registered.connected', 'UNREGISTER', 'removing', 'stopPinging storeRemoved'],
      ['registered.disconnected', 'UNREGISTER', 'removing', 'stopReregisterTimer stopPinging storeRemoved'],
      ['registered.disconnected', 'REPLACE', 'removing', 'stopReregisterTimer stopPinging storeRemoved'],
      ['removing', 'STORED', 'removed', 'removeAgent settleTasks sendFailure announceRemoval'],
    ],
  });

  it('waits for the registrar before it hears anything else', () => {
    for (const state of ['registering', 'reregistering', 'markingUnreachable', 'removing'] as const) {
      const heard = agentAtMaster.events.filter((event) => agentAtMaster.next(state, event) !== undefined);
      expect(heard, state).to.deep.equal(['STORED']);
    }
  });

  it('never comes back once removed', () => {
    expect(agentAtMaster.states.filter((state) => agentAtMaster.isFinal(state))).to.deep.equal(['removed']);
  });

  reachesAllStates(agentAtMaster);
  agreesWithXstate(agentAtMasterMachine, agentAtMaster);
});
