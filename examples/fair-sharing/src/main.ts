import {
  reportDelays,
  reportPolicies,
  reportProperties,
  reportRefusals,
  reportStarvation,
  runDelays,
  runRefusals,
} from './reports.ts';

const reports: Readonly<Record<string, () => string | Promise<string>>> = {
  policies: reportPolicies,
  properties: reportProperties,
  delays: async () => reportDelays(await runDelays()),
  filters: async () => reportRefusals(await runRefusals()),
  starvation: reportStarvation,
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(reports);
for (const [index, name] of wanted.entries()) {
  const report = reports[name];
  if (report === undefined) {
    console.error(`No report '${name}': expected any of ${Object.keys(reports).join(', ')}`);
    process.exitCode = 1;
    break;
  }
  console.log(`${index === 0 ? '' : '\n'}${await report()}`);
}
