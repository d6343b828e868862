// TLS before a server of this machine: tls_proxy.mjs KEY CERTIFICATE PORT. Ends when its stdin does.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer } from 'node:tls';

const [key, certificate, port] = process.argv.slice(2);
const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (caller) => {
  const callee = connect(Number(port), '127.0.0.1');
  for (const [from, to] of [[caller, callee], [callee, caller]]) {
    from.pipe(to);
    from.on('error', () => to.destroy());
  }
});
server.on('tlsClientError', () => {});  // a caller that trusts nobody here
server.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
