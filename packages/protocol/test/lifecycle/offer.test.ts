import { expect } from 'chai';
import { offerLifecycle, offerMachine } from '../../src/lifecycle/index.ts';
import { agreesWithXstate, reachesAllStates, tell } from './story.ts';

describe('offer', () => {
  it('begins outstanding, with nothing to do', () => {
    expect(offerLifecycle.initial).to.equal('outstanding');
    expect(offerLifecycle.initialEffects).to.deep.equal([]);
  });

  tell(offerLifecycle, {
    'leaves its resources to the operations that accept it': [['outstanding', 'ACCEPT', 'accepted', 'stopTimer']],

    'gives its resources back when it is declined': [
      ['outstanding', 'DECLINE', 'declined', 'stopTimer recoverResources'],
    ],

    'that cannot be kept is taken back, and its framework is told': [
      ['outstanding', 'RESCIND', 'rescinded', 'stopTimer recoverResources sendRescind'],
    ],

    'is taken back silently where there is nobody to tell': [
      ['outstanding', 'DISCARD', 'rescinded', 'stopTimer recoverResources'],
    ],
  });

  it('is answered or taken back once', () => {
    expect(offerLifecycle.states.filter((state) => offerLifecycle.isFinal(state))).to.deep.equal([
      'accepted',
      'declined',
      'rescinded',
    ]);
  });

  reachesAllStates(offerLifecycle);
  agreesWithXstate(offerMachine, offerLifecycle);
});
