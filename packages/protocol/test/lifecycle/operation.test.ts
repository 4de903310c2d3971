import { expect } from 'chai';
import { operationLifecycle, operationMachine } from '../../src/lifecycle/index.ts';
import { agreesWithXstate, reachesAllStates, tell, type Row } from './story.ts';

const terminal = ['OPERATION_FINISHED', 'OPERATION_FAILED', 'OPERATION_ERROR', 'OPERATION_DROPPED'] as const;
const fromAny = (event: string, effects: string): Row[] =>
  ['OPERATION_PENDING', ...terminal].map((from): Row => [from, event, 'forgotten', effects]);

describe('operation at the master', () => {
  it('begins pending, with nothing to do', () => {
    expect(operationLifecycle.initial).to.equal('OPERATION_PENDING');
    expect(operationLifecycle.initialEffects).to.deep.equal([]);
  });

  tell(operationLifecycle, {
    'ends as its agent reports, which is passed on; what has not come to pass is taken back': terminal.map(
      (state): Row => [
        'OPERATION_PENDING',
        state,
        state,
        state === 'OPERATION_FINISHED' ? 'forwardUpdate' : 'undo forwardUpdate',
      ],
    ),

    'keeps its end whatever is reported later, which is passed on': terminal.flatMap((state) =>
      terminal.map((event): Row => [state, event, state, 'forwardUpdate']),
    ),

    'is forgotten when its end is acknowledged': terminal.map((state): Row => [
      state,
      'ACKNOWLEDGED',
      'forgotten',
      'removeOperation',
    ]),

    'is forgotten with an agent that is unreachable or gone, and its framework is told': [
      ...fromAny('AGENT_UNREACHABLE', 'sendUpdate removeOperation'),
      ...fromAny('AGENT_GONE', 'sendUpdate removeOperation'),
    ],

    'is forgotten silently where nobody has to hear of it': fromAny('FORGET', 'removeOperation'),
  });

  it('cannot be acknowledged before it ended', () => {
    expect(operationLifecycle.next('OPERATION_PENDING', 'ACKNOWLEDGED')).to.equal(undefined);
  });

  it('is over when forgotten, and only then', () => {
    expect(operationLifecycle.states.filter((state) => operationLifecycle.isFinal(state))).to.deep.equal(['forgotten']);
  });

  reachesAllStates(operationLifecycle);
  agreesWithXstate(operationMachine, operationLifecycle);
});
