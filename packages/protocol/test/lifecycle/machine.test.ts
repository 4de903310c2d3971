import { expect } from 'chai';
import { machineLifecycle, machineMachine } from '../../src/lifecycle/index.ts';
import { agreesWithXstate, reachesAllStates, tell } from './story.ts';

describe('machine in maintenance', () => {
  it('begins up, with nothing to do', () => {
    expect(machineLifecycle.initial).to.equal('UP');
    expect(machineLifecycle.initialEffects).to.deep.equal([]);
  });

  tell(machineLifecycle, {
    'drains from the moment it is in the schedule, and its unavailability is announced': [
      ['UP', 'SCHEDULE', 'DRAINING', 'announceUnavailability'],
    ],

    'scheduled anew announces the new time, and stays as it is': [
      ['DRAINING', 'SCHEDULE', 'DRAINING', 'announceUnavailability'],
      ['DOWN', 'SCHEDULE', 'DOWN', 'announceUnavailability'],
    ],

    'is up again when it is taken off the schedule': [['DRAINING', 'UNSCHEDULE', 'UP', 'withdrawUnavailability']],

    'loses its agents when it is taken down': [['DRAINING', 'TAKE_DOWN', 'DOWN', 'removeAgents']],

    'is up, and no longer unavailable, when it is brought up': [['DOWN', 'BRING_UP', 'UP', 'withdrawUnavailability']],
  });

  it('is taken down only after it was in the schedule', () => {
    expect(machineLifecycle.next('UP', 'TAKE_DOWN')).to.equal(undefined);
  });

  it('that is down stays in the schedule until it is brought up', () => {
    expect(machineLifecycle.next('DOWN', 'UNSCHEDULE')).to.equal(undefined);
  });

  it('is never done: it may need maintenance again', () => {
    expect(machineLifecycle.states.filter((state) => machineLifecycle.isFinal(state))).to.deep.equal([]);
  });

  reachesAllStates(machineLifecycle);
  agreesWithXstate(machineMachine, machineLifecycle);
});
