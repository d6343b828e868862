// A server that a test starts: on loopback, and gone with the test.

/// Listens, on a free port if it is 0, prints `ready PORT`, and ends when stdin does: the test has
/// the other end of it, which closes with the test however that dies.
export async function serve(server, port) {
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(port), "127.0.0.1", resolve);
  });
  console.log(`ready ${server.address().port}`);
  process.stdin.resume().on("end", () => process.exit(0));
}

export async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
