export { machineKey } from './machine-key.ts';
export { Registrar, type RegistrarOptions } from './registrar.ts';
export { backupRegistry, restoreRegistry, type RestoreOptions } from './registry-backup.ts';
export { RegistryClient, type RegistryClientOptions } from './registry-client.ts';
export { collectGarbage, defaultGarbageLimits, garbageInterval, type GarbageLimits } from './registry-garbage.ts';
export { type RegistryRecord, RegistryState } from './registry-state.ts';
