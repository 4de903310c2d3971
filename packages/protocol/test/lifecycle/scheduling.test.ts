import { expect } from 'chai';
import { schedulingLifecycle, schedulingMachine } from '../../src/lifecycle/index.ts';
import { agreesWithXstate, reachesAllStates, tell } from './story.ts';

describe('scheduling of an agent', () => {
  it('begins active, with nothing to do', () => {
    expect(schedulingLifecycle.initial).to.equal('active');
    expect(schedulingLifecycle.initialEffects).to.deep.equal([]);
  });

  tell(schedulingLifecycle, {
    'gets no offers while it is deactivated, and is offered again when operators want it': [
      ['active', 'DEACTIVATE', 'deactivated', 'deactivate'],
      ['deactivated', 'REACTIVATE', 'active', 'activate'],
    ],

    'drains: it gets no offers and is told to end its tasks': [['active', 'DRAIN', 'draining', 'deactivate sendDrain']],

    'drains without being deactivated twice': [
      ['deactivated', 'DRAIN', 'draining', 'sendDrain'],
      ['drained', 'DRAIN', 'draining', 'sendDrain'],
    ],

    'is drained when nothing runs there any more, and gone where the drain asked for that': [
      ['draining', 'EMPTY', 'drained', 'markGone'],
    ],

    'is offered again after its drain when operators want it': [['drained', 'REACTIVATE', 'active', 'activate']],

    'is still not offered when the agent comes back, which is told again of a drain that is not over': [
      ['deactivated', 'RETURNED', 'deactivated', 'deactivate'],
      ['draining', 'RETURNED', 'draining', 'deactivate sendDrain'],
      ['drained', 'RETURNED', 'drained', 'deactivate'],
    ],
  });

  it('cannot be offered again while it drains', () => {
    expect(schedulingLifecycle.next('draining', 'REACTIVATE')).to.equal(undefined);
  });

  it('leaves an agent alone that comes back while it is active', () => {
    expect(schedulingLifecycle.next('active', 'RETURNED')).to.equal(undefined);
  });

  it('is never done: operators may decide anew', () => {
    expect(schedulingLifecycle.states.filter((state) => schedulingLifecycle.isFinal(state))).to.deep.equal([]);
  });

  reachesAllStates(schedulingLifecycle);
  agreesWithXstate(schedulingMachine, schedulingLifecycle);
});
