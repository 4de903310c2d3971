export type AgentErrorCode = 'WORK_DIRECTORY_INVALID' | 'WORK_DIRECTORY_UNWRITABLE';

/** An agent that cannot start. The message is one line that names the cause and what to do. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
