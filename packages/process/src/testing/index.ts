export { intercept, Interception } from './interceptors.ts';
export type { Intercepted, Match, Rules } from './interceptors.ts';
export { SeededRandom } from './seeded-random.ts';
export { SimulatedChildren } from './simulated-children.ts';
export type { Run, Script } from './simulated-children.ts';
export { SimulatedFiles } from './simulated-files.ts';
export { Simulation } from './simulation.ts';
export type { Machine, SimulationOptions } from './simulation.ts';
export { VirtualClock } from './virtual-clock.ts';
