// AWS's own SDK as the other side of a queue:  peer.mjs send|drain QUEUE_URL [COUNT]
//
//   send    the bodies that stdin has as lines, in batches of ten; prints the message ids
//   drain   with sqs-consumer, until COUNT different ids of envelopes have come; prints every body
import { createInterface } from "node:readline";
import { require } from "./packages.mjs";

const { SQSClient, SendMessageBatchCommand } = require("@aws-sdk/client-sqs");
const { Consumer } = require("sqs-consumer");

const [verb, queueUrl, wanted] = process.argv.slice(2);
// Or it would go where the URL of the queue leads, past a gate.
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });

async function send() {
  const bodies = [];
  for await (const line of createInterface({ input: process.stdin })) bodies.push(line);
  for (let from = 0; from < bodies.length; from += 10) {
    const Entries = bodies
      .slice(from, from + 10)
      .map((MessageBody, index) => ({ Id: `m-${from + index}`, MessageBody }));
    const answer = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    if (answer.Failed?.length) throw new Error(JSON.stringify(answer.Failed));
    for (const { MessageId } of answer.Successful) console.log(MessageId);
  }
}

async function drain() {
  const ids = new Set();
  const consumer = Consumer.create({
    sqs,
    queueUrl,
    batchSize: 10,
    waitTimeSeconds: 1,
    handleMessage: async (message) => {
      console.log(message.Body);
      ids.add(JSON.parse(message.Body).id);
      if (ids.size >= Number(wanted)) consumer.stop();
      return message;
    },
  });
  await new Promise((resolve, reject) => {
    consumer.on("stopped", resolve);
    consumer.on("processing_error", reject);
    // Not there yet or down for a moment: it polls again by itself.
    consumer.on("error", (error) => console.error(String(error)));
    consumer.start();
  });
}

await { send, drain }[verb]();
