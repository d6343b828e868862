// fauxqs, an SQS in memory that checks no signature:  emulator.mjs [PORT]
//
//   POST /_lapse   what anyone has received is seen again, before its visibility timeout
import { packages } from "./packages.mjs";
import { serve } from "./serve.mjs";

// Its own command listens on every interface, and it does not export the store.
const { buildApp } = await import(new URL("fauxqs/dist/app.js", packages));
const { SqsStore } = await import(new URL("fauxqs/dist/sqs/sqsStore.js", packages));

const store = new SqsStore();
// Queue URLs have the Host of the request, not a name that only some resolvers know.
store.host = undefined;

const app = buildApp({ logger: false, stores: { sqsStore: store } });
app.post("/_lapse", () => {
  let lapsed = 0;
  for (const queue of store.queues.values()) {
    for (const entry of queue.inflightMessages.values()) {
      entry.visibilityDeadline = 0;
      ++lapsed;
    }
  }
  store.processAllTimers();
  return { lapsed };
});
await app.ready();
await serve(app.server, process.argv[2] ?? 0);
