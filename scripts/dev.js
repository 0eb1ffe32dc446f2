// `npm run dev`: the CLI from src/, without a build.
const { main } = await import('../src/cli.ts');
const { processHost } = await import('../src/process-host.ts');
process.exitCode = await main(process.argv.slice(2), processHost());
