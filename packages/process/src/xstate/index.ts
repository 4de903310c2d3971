export { compile, type EffectOf, type EventOf, type StateOf, type TableOf } from './compile.ts';
export { toMermaid } from './mermaid.ts';
export { TransitionTable, type Transition } from './table.ts';
export { UncompilableMachineError } from './uncompilable.ts';
export { effects, events } from './vocabulary.ts';
