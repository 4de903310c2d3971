import { expect } from 'chai';
import { taskAtAgent, taskAtAgentMachine, TERMINAL_TASK_STATES as terminal } from '../../src/lifecycle/index.ts';
import { agreesWithXstate, reachesAllStates, tell, type Row } from './story.ts';

const progress = ['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'];

describe('task at the agent', () => {
  it('begins queued, with nothing to do', () => {
    expect(taskAtAgent.initial).to.equal('queued');
    expect(taskAtAgent.initialEffects).to.deep.equal([]);
  });

  tell(taskAtAgent, {
    'is handed to its executor': [['queued', 'DELIVER', 'launched', 'sendTask']],

    'killed before its executor got it, ends without the executor': [
      ['queued', 'KILL', 'terminated', 'updateKilledDuringLaunch'],
    ],

    'ends before its executor got it when that ends': ['TASK_FAILED', 'TASK_LOST', 'TASK_DROPPED', 'TASK_GONE'].map(
      (event): Row => ['queued', event, 'terminated', 'storeUpdate'],
    ),

    'follows the updates of its executor in any order': progress.map((event): Row => [
      'launched',
      event,
      'launched',
      'storeUpdate',
    ]),

    'asks the executor to kill, and waits for its word': [['launched', 'KILL', 'launched', 'sendKill']],

    'ends by a terminal update': terminal.map((event): Row => ['launched', event, 'terminated', 'storeUpdate']),

    'ends an executor that reports TASK_STAGING': [['launched', 'TASK_STAGING', 'launched', 'shutdownExecutor']],

    'is completed when the scheduler acknowledged its terminal update': [
      ['terminated', 'TERMINAL_ACKNOWLEDGED', 'completed', 'completeTask'],
    ],

    'is completed with its framework, without an update': ['queued', 'launched', 'terminated'].map((from): Row => [
      from,
      'FRAMEWORK_REMOVED',
      'completed',
      'completeTask',
    ]),
  });

  it('is done when completed, and only then', () => {
    expect(taskAtAgent.states.filter((state) => taskAtAgent.isFinal(state))).to.deep.equal(['completed']);
  });

  reachesAllStates(taskAtAgent);
  agreesWithXstate(taskAtAgentMachine, taskAtAgent);
});
