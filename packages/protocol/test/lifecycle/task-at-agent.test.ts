import { expect } from 'chai';
import { taskAtAgent, taskAtAgentMachine, TERMINAL_TASK_STATES as terminal } from '../../src/lifecycle/index.ts';
import { agreesWithXstate, reachesAllStates, tell, type Row } from './story.ts';

const launched = ['launched.TASK_STAGING', 'launched.TASK_STARTING', 'launched.TASK_RUNNING', 'launched.TASK_KILLING'];
const progress = ['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'];

describe('task at the agent', () => {
  it('begins pending, with nothing to do', () => {
    expect(taskAtAgent.initial).to.equal('pending');
    expect(taskAtAgent.initialEffects).to.deep.equal([]);
  });

  tell(taskAtAgent, {
    'is queued for its executor, and handed to it': [
      ['pending', 'QUEUE', 'queued', 'prepareExecutor'],
      ['queued', 'DELIVER', 'launched.TASK_STAGING', 'sendTask'],
    ],

    'killed before its executor got it, ends without the executor': [
      ['pending', 'KILL', 'terminated', 'updateKilledDuringLaunch'],
      ['queued', 'KILL', 'terminated', 'updateKilledDuringLaunch'],
    ],

    'ends before launch by an update of the agent itself': ['pending', 'queued'].flatMap((from) =>
      terminal.map((event): Row => [from, event, 'terminated', 'storeUpdate']),
    ),

    'follows the updates of its executor in any order': launched.flatMap((from) =>
      progress.map((event): Row => [from, event, `launched.${event}`, 'storeUpdate']),
    ),

    'asks the executor to kill, and waits for its word': launched.map((from): Row => [from, 'KILL', from, 'sendKill']),

    'releases resources before it passes a terminal update on': launched.flatMap((from) =>
      terminal.map((event): Row => [from, event, 'terminated', 'releaseResources storeUpdate']),
    ),

    'ends an executor that reports TASK_STAGING': launched.map((from): Row => [
      from,
      'TASK_STAGING',
      from,
      'shutdownExecutor',
    ]),

    'acknowledges updates after the terminal one to the executor, and drops them': [...progress, ...terminal].map(
      (event): Row => ['terminated', event, 'terminated', 'acknowledgeExecutor'],
    ),

    'is completed when the scheduler acknowledged its terminal update': [
      ['terminated', 'TERMINAL_ACKNOWLEDGED', 'completed', 'completeTask'],
    ],

    'is completed with its framework, without an update': ['pending', 'queued', ...launched, 'terminated'].map(
      (from): Row => [from, 'FRAMEWORK_REMOVED', 'completed', 'completeTask'],
    ),
  });

  it('is done when completed, and only then', () => {
    expect(taskAtAgent.states.filter((state) => taskAtAgent.isFinal(state))).to.deep.equal(['completed']);
  });

  reachesAllStates(taskAtAgent);
  agreesWithXstate(taskAtAgentMachine, taskAtAgent);
});
