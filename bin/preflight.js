// Runs before the program is loaded: `npm start` preloads it, and leadway-bff.js imports it first. Plain JavaScript
// without imports, because it has to run on any Node.

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 5)) {
  process.stderr.write(`leadway-bff needs Node 24.5 or newer, this is ${process.versions.node}\n`);
  process.exit(78); // EX_CONFIG: a restart does not help
}

// At SIGUSR1 Node opens its inspector, where everybody on the machine can run code in this process. A listener
// prevents that while the program loads; later its own listener logs the signal.
process.on('SIGUSR1', () => {});
