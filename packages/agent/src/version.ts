/** What the agent says it is when it registers: the version of this package. */
export const agentVersion = '0.1.0';
