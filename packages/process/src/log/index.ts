export type { FencedLog, LogContents, LogEntry } from './fenced-log.ts';
export { fileLog } from './file-log.ts';
export { LogServer } from './log-server.ts';
export { memoryLog, MemoryLogStore } from './memory-log.ts';
export { remoteLog } from './remote-log.ts';
