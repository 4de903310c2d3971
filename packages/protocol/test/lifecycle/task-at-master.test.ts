import { expect } from 'chai';
import {
  LIVE_TASK_STATES as live,
  taskAtMaster,
  taskAtMasterMachine,
  TERMINAL_TASK_STATES as terminal,
} from '../../src/lifecycle/index.ts';
import { isTerminal, taskStates } from '../../src/messages/task.ts';
import { agreesWithXstate, reachesAllStates, tell, type Row } from './story.ts';

const reportable = [...live.filter((state) => state !== 'TASK_STAGING'), ...terminal];
const fromLive = (event: string, to: string, effects: string): Row[] =>
  live.map((from): Row => [from, event, to, effects]);
const atTerminal = (event: string, effects: string): Row[] =>
  terminal.map((state): Row => [state, event, state, effects]);

describe('task at the master', () => {
  it('begins staging, with nothing to do', () => {
    expect(taskAtMaster.initial).to.equal('TASK_STAGING');
    expect(taskAtMaster.initialEffects).to.deep.equal([]);
  });

  tell(taskAtMaster, {
    'follows the agent between live states and forwards its updates': live
      .filter((state) => state !== 'TASK_STAGING')
      .flatMap((state) => fromLive(state, state, 'forwardUpdate')),

    'becomes terminal from any live state, forwards the update and gives the resources back': terminal.flatMap(
      (state) => fromLive(state, state, 'forwardUpdate recoverResources'),
    ),

    'keeps its terminal state whatever is reported, and gives resources back once only: later updates are just forwarded':
      reportable.flatMap((event) => atTerminal(event, 'forwardUpdate')),

    'is completed when its terminal update is acknowledged': atTerminal('TERMINAL_ACKNOWLEDGED', 'completeTask'),

    'sends a kill to the agent while the task lives': live.map((from): Row => [from, 'KILL', from, 'sendKill']),

    'answers a kill of an unreachable task with its state': [
      ['TASK_UNREACHABLE', 'KILL', 'TASK_UNREACHABLE', 'reconcile'],
    ],

    'is unreachable with its agent, or lost to a framework that does not know partitions': [
      ...fromLive('AGENT_UNREACHABLE', 'TASK_UNREACHABLE', 'recoverResources sendUpdate keepUnreachable'),
      ...fromLive('AGENT_UNREACHABLE_UNAWARE', 'TASK_UNREACHABLE', 'recoverResources sendUpdate keepUnreachable'),
    ],

    'is out of reach when its agent breaks its connection and the framework does not checkpoint': [
      ...fromLive('AGENT_DISCONNECTED', 'TASK_UNREACHABLE', 'recoverResources sendUpdate keepUnreachable'),
    ],

    'begins again when its agent brings it back though it was given up': [
      ['TASK_UNREACHABLE', 'AGENT_RETURNED', 'TASK_STAGING', 'restoreTask'],
    ],

    'stays over when its agent brings it back': atTerminal('AGENT_RETURNED', 'restoreTask'),

    'may be brought back before it was started': [['TASK_STAGING', 'TASK_STAGING', 'TASK_STAGING', 'forwardUpdate']],

    'is gone with an agent that operators gave up, or lost to a framework that does not know partitions': [
      ...fromLive('AGENT_GONE', 'TASK_GONE_BY_OPERATOR', 'recoverResources sendUpdate completeTask'),
      ...fromLive('AGENT_GONE_UNAWARE', 'TASK_LOST', 'recoverResources sendUpdate keepUnreachable'),
    ],

    'that was unreachable is completed when operators give its agent up, and its framework is told': [
      ['TASK_UNREACHABLE', 'AGENT_GONE', 'TASK_GONE_BY_OPERATOR', 'sendUpdate completeTask'],
      ['TASK_UNREACHABLE', 'AGENT_GONE_UNAWARE', 'TASK_LOST', 'sendUpdate completeTask'],
    ],

    'is lost when its agent is removed': [
      ...fromLive('AGENT_REMOVED', 'TASK_LOST', 'recoverResources sendUpdate completeTask'),
    ],

    'keeps an unacknowledged terminal state when its agent goes, and still tells the framework': [
      ...atTerminal('AGENT_UNREACHABLE', 'sendUpdate keepUnreachable'),
      ...atTerminal('AGENT_UNREACHABLE_UNAWARE', 'sendUpdate keepUnreachable'),
      ...atTerminal('AGENT_REMOVED', 'sendUpdate completeTask'),
      ...atTerminal('AGENT_GONE', 'sendUpdate completeTask'),
      ...atTerminal('AGENT_GONE_UNAWARE', 'sendUpdate completeTask'),
      ...atTerminal('AGENT_DISCONNECTED', 'sendUpdate completeTask'),
    ],

    'is killed with its framework, which is not told any more': [
      ...fromLive('FRAMEWORK_REMOVED', 'TASK_KILLED', 'recoverResources completeTask'),
      ['TASK_UNREACHABLE', 'FRAMEWORK_REMOVED', 'TASK_KILLED', 'completeTask'],
      ...atTerminal('FRAMEWORK_REMOVED', 'completeTask'),
    ],
  });

  it('recovers resources exactly on the step out of the live states', () => {
    const isLive = (state: string) => (live as readonly string[]).includes(state);
    for (const state of taskAtMaster.states) {
      for (const event of taskAtMaster.events) {
        const outcome = taskAtMaster.next(state, event);
        if (outcome === undefined) continue;
        const leaves = isLive(state) && !isLive(outcome.state);
        expect(outcome.effects.includes('recoverResources'), `${state} on ${event}`).to.equal(leaves);
      }
    }
  });

  it('calls the same states terminal as the messages do', () => {
    expect(taskStates.filter(isTerminal).toSorted()).to.deep.equal([...terminal].toSorted());
    expect([...taskAtMaster.states, 'TASK_UNKNOWN'].toSorted()).to.deep.equal([...taskStates].toSorted());
  });

  reachesAllStates(taskAtMaster);
  agreesWithXstate(taskAtMasterMachine, taskAtMaster);
});
