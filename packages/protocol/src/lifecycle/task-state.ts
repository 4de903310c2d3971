/** The states no task leaves. What a task held is free again once it is in one of them. */
export const TERMINAL_TASK_STATES = [
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
] as const;

/** The states a task goes through while its agent has it, in their usual order. */
export const LIVE_TASK_STATES = ['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'] as const;

export type TerminalTaskState = (typeof TERMINAL_TASK_STATES)[number];
export type LiveTaskState = (typeof LIVE_TASK_STATES)[number];
