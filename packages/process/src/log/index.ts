export type { FencedLog, LogContents, LogEntry } from './fenced-log.ts';
export { memoryLog, MemoryLogStore } from './memory-log.ts';
