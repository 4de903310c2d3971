export type { Amounts, FrameworkResult, LabResult, Sample, ShareSample } from './result.ts';
export {
  type Comparison,
  comparisonFiles,
  type ComparisonPlan,
  type ComparisonProgress,
  comparisonTable,
  compare,
  type Estimate,
  type Metrics,
  metricsOf,
  metricText,
  parseSweep,
  type Runner,
  type ScenarioText,
  type Setting,
  type Sweep,
  ThreadRunner,
  type VariantResult,
  withSettings,
} from './compare/index.ts';
export { reportFiles } from './report/index.ts';
export { type RunOptions, runScenario } from './run/run-scenario.ts';
export { absentRoles } from './scenario/absent-roles.ts';
export { readScenario, ScenarioError } from './scenario/read-scenario.ts';
export { tracesOf, withTraces } from './scenario/replay.ts';
export type { Scenario } from './scenario/scenario.ts';
export { type RoleSummary, summarise, type Summary } from './summary.ts';
export {
  type ConversionCounts,
  type ConversionOptions,
  type Converted,
  convertTrace,
  convertTraceFiles,
  type FileConversionOptions,
  type Progress,
  readTrace,
  type Scale,
  traceColumns,
  TraceError,
  type TraceFile,
  traceFile,
  type TraceFormatName,
  traceFormats,
  type TraceTask,
} from './traces/index.ts';
