import { expect } from 'chai';
import { inverseOfferLifecycle, inverseOfferMachine } from '../../src/lifecycle/index.ts';
import { agreesWithXstate, reachesAllStates, tell } from './story.ts';

describe('inverse offer', () => {
  it('begins outstanding, with nothing to do', () => {
    expect(inverseOfferLifecycle.initial).to.equal('outstanding');
    expect(inverseOfferLifecycle.initialEffects).to.deep.equal([]);
  });

  tell(inverseOfferLifecycle, {
    'tells the allocator that its framework will leave': [
      ['outstanding', 'ACCEPT', 'accepted', 'stopTimer recordAccept'],
    ],

    'tells the allocator that its framework will stay': [
      ['outstanding', 'DECLINE', 'declined', 'stopTimer recordDecline'],
    ],

    'that is taken back counts as not answered, and its framework is told': [
      ['outstanding', 'RESCIND', 'rescinded', 'stopTimer recordNothing sendRescind'],
    ],

    'is taken back silently where there is nobody to tell': [
      ['outstanding', 'DISCARD', 'rescinded', 'stopTimer recordNothing'],
    ],
  });

  it('is answered or taken back once', () => {
    expect(inverseOfferLifecycle.states.filter((state) => inverseOfferLifecycle.isFinal(state))).to.deep.equal([
      'accepted',
      'declined',
      'rescinded',
    ]);
  });

  reachesAllStates(inverseOfferLifecycle);
  agreesWithXstate(inverseOfferMachine, inverseOfferLifecycle);
});
