export { Agent } from './agent.ts';
export { AgentError } from './agent-error.ts';
export type { AgentErrorCode } from './agent-error.ts';
export type { AgentOptions } from './agent-options.ts';
export { largestResult, resultFile } from './executor/result-file.ts';
export { detectResources } from './resources/detect-resources.ts';
export { startAgent } from './start-agent.ts';
