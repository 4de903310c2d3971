import { expect } from 'chai';
import { executorLifecycle, executorMachine } from '../../src/lifecycle/index.ts';
import { agreesWithXstate, reachesAllStates, tell } from './story.ts';

const end = 'settleTasks reportExit removeExecutor';

describe('executor at its agent', () => {
  it('begins registering, with a limited time for that', () => {
    expect(executorLifecycle.initial).to.equal('registering');
    expect(executorLifecycle.initialEffects).to.deep.equal(['awaitRegistration']);
  });

  tell(executorLifecycle, {
    'gets its tasks when it registers, and what came since when it does so again': [
      ['registering', 'REGISTERED', 'running', 'stopAwaiting deliverTasks'],
      ['running', 'REGISTERED', 'running', 'deliverTasks'],
    ],

    'is asked to end when it registers and nothing is left for it to do': [
      ['registering', 'IDLE', 'terminating', 'stopAwaiting sendShutdown awaitEnd'],
    ],

    'that does not register in time is ended by force': [
      ['registering', 'REGISTRATION_TIMEOUT', 'terminating', 'stopAwaiting destroyContainer awaitEnd'],
    ],

    'that cannot be asked yet is ended by force': [
      ['registering', 'SHUTDOWN', 'terminating', 'stopAwaiting destroyContainer awaitEnd'],
    ],

    'is asked to end, and ended by force when its time is over': [
      ['running', 'SHUTDOWN', 'terminating', 'sendShutdown awaitEnd'],
      ['terminating', 'GRACE_OVER', 'terminating', 'destroyContainer'],
    ],

    'that could not be launched has ended': [
      ['registering', 'LAUNCH_FAILED', 'terminated', `stopAwaiting ${end}`],
      ['terminating', 'LAUNCH_FAILED', 'terminated', `stopAwaitingEnd ${end}`],
    ],

    'settles its tasks and tells the master when it ends, in any state': [
      ['registering', 'EXITED', 'terminated', `stopAwaiting ${end}`],
      ['running', 'EXITED', 'terminated', end],
      ['terminating', 'EXITED', 'terminated', `stopAwaitingEnd ${end}`],
    ],
  });

  it('is done when terminated, and only then', () => {
    expect(executorLifecycle.states.filter((state) => executorLifecycle.isFinal(state))).to.deep.equal(['terminated']);
  });

  reachesAllStates(executorLifecycle);
  agreesWithXstate(executorMachine, executorLifecycle);
});
