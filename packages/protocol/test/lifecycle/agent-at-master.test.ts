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
      ['registering', 'STORED', 'registered.connected', 'introduce addAgent offerAgent confirm startPinging'],
    ],

    'is known before it comes back where an earlier master admitted it or gave it up': [
      ['unknown', 'RECOVER', 'recovered', ''],
      ['unknown', 'RECOVER_UNREACHABLE', 'unreachable', ''],
    ],

    'that lost the answer is told again': [['registered.connected', 'REGISTER', 'registered.connected', 'confirm']],

    'that the master does not know, has not seen yet, or gave up comes back with its tasks': [
      ['unknown', 'REREGISTER', 'reregistering', 'storeReachable'],
      ['recovered', 'REREGISTER', 'reregistering', 'storeReachable'],
      ['unreachable', 'REREGISTER', 'reregistering', 'storeReachable'],
      [
        'reregistering',
        'STORED',
        'registered.connected',
        'introduce addAgent settleTasks offerAgent confirm startPinging',
      ],
    ],

    'that registers again while connected is compared with what the master knows': [
      ['registered.connected', 'REREGISTER', 'registered.connected', 'introduce reconcile confirm'],
    ],

    'that describes itself differently is taken at its new word once that is stored': [
      ['registered.connected', 'CHANGED', 'registered.updating', 'storeUpdate'],
      ['registered.disconnected', 'CHANGED', 'registered.updating', 'stopReregisterTimer storeUpdate'],
      ['registered.updating', 'STORED', 'registered.connected', 'introduce reconcile offerAgent confirm'],
    ],

    'that breaks its connection gets no offers until it registers again': [
      [
        'registered.connected',
        'DISCONNECT',
        'registered.disconnected',
        'deactivate loseVolatileTasks startReregisterTimer',
      ],
      [
        'registered.updating',
        'DISCONNECT',
        'registered.disconnected',
        'deactivate loseVolatileTasks startReregisterTimer',
      ],
      [
        'registered.disconnected',
        'REREGISTER',
        'registered.connected',
        'stopReregisterTimer introduce reconcile activate confirm',
      ],
    ],

    'becomes unreachable when it misses its pings, stays disconnected or does not find the new master, once stored': [
      ['recovered', 'REREGISTER_TIMEOUT', 'markingUnreachable', 'storeUnreachable'],
      ['registered.connected', 'PING_TIMEOUT', 'markingUnreachable', 'stopPinging storeUnreachable'],
      ['registered.updating', 'PING_TIMEOUT', 'markingUnreachable', 'stopPinging storeUnreachable'],
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
      ['registered.updating', 'UNREGISTER', 'removing', 'stopPinging storeRemoved'],
      ['registered.disconnected', 'UNREGISTER', 'removing', 'stopReregisterTimer stopPinging storeRemoved'],
      ['registered.disconnected', 'REPLACE', 'removing', 'stopReregisterTimer stopPinging storeRemoved'],
      ['removing', 'STORED', 'removed', 'removeAgent settleTasks sendFailure'],
    ],

    'is told to end and removed when its machine goes into maintenance': [
      ['registered.connected', 'TAKE_DOWN', 'removing', 'stopPinging shutdownAgent storeRemoved'],
      ['registered.updating', 'TAKE_DOWN', 'removing', 'stopPinging shutdownAgent storeRemoved'],
      [
        'registered.disconnected',
        'TAKE_DOWN',
        'removing',
        'stopReregisterTimer stopPinging shutdownAgent storeRemoved',
      ],
    ],

    'is gone when an operator says so, wherever it is, and told to end once that is stored': [
      ['recovered', 'MARK_GONE', 'markingGone', 'storeGone'],
      ['registered.connected', 'MARK_GONE', 'markingGone', 'stopPinging storeGone'],
      ['registered.updating', 'MARK_GONE', 'markingGone', 'stopPinging storeGone'],
      ['registered.disconnected', 'MARK_GONE', 'markingGone', 'stopReregisterTimer stopPinging storeGone'],
      ['unreachable', 'MARK_GONE', 'markingGone', 'storeGone'],
      ['markingGone', 'STORED', 'gone', 'shutdownAgent removeAgent settleTasks sendFailure'],
    ],
  });

  it('waits for the registrar before it hears anything else', () => {
    const storing = ['registering', 'reregistering', 'markingUnreachable', 'markingGone', 'removing'] as const;
    for (const state of storing) {
      const heard = agentAtMaster.events.filter((event) => agentAtMaster.next(state, event) !== undefined);
      expect(heard, state).to.deep.equal(['STORED']);
    }
  });

  it('never comes back once gone or removed', () => {
    expect(agentAtMaster.states.filter((state) => agentAtMaster.isFinal(state))).to.deep.equal(['gone', 'removed']);
  });

  reachesAllStates(agentAtMaster);
  agreesWithXstate(agentAtMasterMachine, agentAtMaster);
});
