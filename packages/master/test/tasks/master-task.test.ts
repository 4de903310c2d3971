import { expect } from 'chai';
import { AgentID, FrameworkID, Resources, TaskID, type TaskStatus } from '@mezzo/protocol';
import { MasterTask } from '../../src/tasks/master-task.ts';

function status(state: TaskStatus['state'], more: Partial<TaskStatus> = {}): TaskStatus {
  return { taskId: TaskID('t'), state, source: 'SOURCE_EXECUTOR', timestamp: 1, ...more };
}

describe('the history of a task', () => {
  it('has one status for each state in a row, the newest, without data', () => {
    const task = new MasterTask({
      id: TaskID('t'),
      frameworkId: FrameworkID('f'),
      agentId: AgentID('a'),
      name: 't',
      resources: Resources.empty,
    });
    task.record(status('TASK_STARTING', { data: new Uint8Array([1]) }));
    task.record(status('TASK_RUNNING', { message: 'first' }));
    task.record(status('TASK_RUNNING', { message: 'second' }));
    expect(task.statuses).to.deep.equal([status('TASK_STARTING'), status('TASK_RUNNING', { message: 'second' })]);
    expect(task.statuses[0]).not.to.have.property('data');
  });
});
