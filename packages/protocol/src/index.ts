export {
  AgentID,
  ContainerID,
  ExecutorID,
  FrameworkID,
  InvalidIdError,
  MasterID,
  OfferID,
  OperationUUID,
  TaskID,
  UpdateUUID,
  type Id,
  type IdKind,
} from './ids.ts';
export * from './lifecycle/index.ts';
export * from './resources/index.ts';
export { isStrictSubrole, roleFault, UNRESERVED } from './roles.ts';
export * from './messages/index.ts';
export * from './election/index.ts';
