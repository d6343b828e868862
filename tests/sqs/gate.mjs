// A proxy in front of an emulator that refuses what AWS would refuse for its signature, counts what
// passes, and injects faults:  gate.mjs UPSTREAM [JSON]
//
// JSON and `POST /_gate` set any of:
//   keys     {id, secret, token?, skewSeconds}; id and secret must be there
//   ahead    by how many seconds its clock is
//   faults   names from FAULTS, taken in turn: one for every `every`-th call of `actions`
//   next     names from FAULTS, "" for none: one for each of the next calls, before `faults`
// `GET /_gate` tells what was seen.
import http from "node:http";
import { bodyOf, serve } from "./serve.mjs";
import { refusal } from "./sigv4.mjs";

const [upstream, given] = process.argv.slice(2);
let settings = {
  keys: { id: "AKIDEXAMPLE", secret: "secret", skewSeconds: 300 },
  ahead: 0,
  faults: [],
  every: 10,
  actions: null,
  next: [],
};
const seen = { passed: 0, refused: {}, actions: {}, faults: {}, connections: 0 };
const agent = new http.Agent({ keepAlive: true });

const now = () => Date.now() + settings.ahead * 1000;
const count = (counts, name) => (counts[name] = (counts[name] ?? 0) + 1);

function set(changes) {
  const wanted = { ...settings, ...changes };
  for (const name of [...wanted.faults, ...wanted.next]) {
    if (name && !FAULTS[name]) throw new Error(`no fault ${name}`);
  }
  settings = wanted;
  calls = injected = 0;
}

function fail(response, status, code, message) {
  response.writeHead(status, {
    date: new Date(now()).toUTCString(),
    "content-type": "application/x-amz-json-1.0",
    "x-amzn-query-error": `${code.replace(/Exception$/, "")};Sender`,
  });
  response.end(JSON.stringify({ __type: `com.amazon.coral.service#${code}`, message }));
}

// Each is given what forwards the call, and decides whether it does.
const FAULTS = {
  unavailable(request, response) {
    response.writeHead(503, { "content-type": "text/html" });
    response.end("<html><body>503 Service Unavailable</body></html>");
  },
  throttling: (request, response) =>
    fail(response, 400, "ThrottlingException", "Rate exceeded"),
  throttled: (request, response) =>
    fail(response, 403, "RequestThrottled", "Request is throttled."),
  dropped: (request) => request.socket.destroy(),
  // It is done, and nobody hears of it.
  unanswered: (request, response, forward) => forward(() => request.socket.destroy()),
  // It is done, and the answer is long under way.
  late: (request, response, forward) => forward((reply) => setTimeout(reply, 2000)),
  slow: (request, response, forward) => setTimeout(forward, 300),
};
let calls = 0;
let injected = 0;

/// The fault of this call, if it has one.
function faultOf(action) {
  if (settings.next.length > 0) return settings.next.shift();
  if (settings.faults.length === 0) return undefined;
  if (settings.actions && !settings.actions.includes(action)) return undefined;
  if (++calls % settings.every !== 0) return undefined;
  return settings.faults[injected++ % settings.faults.length];
}

function forward(request, response, body, answered) {
  const { method, url, headers } = request;
  const call = http.request(upstream + url, { method, headers, agent }, (answer) => {
    const reply = () => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    };
    if (answered) answered(reply);
    else reply();
  });
  call.on("error", () => response.destroy());
  response.on("close", () => call.destroy());
  call.end(body);
}

async function answer(request, response) {
  const body = await bodyOf(request);
  if (request.url === "/_gate") {
    try {
      if (request.method === "POST") set(JSON.parse(body));
      response.end(JSON.stringify(seen));
    } catch (error) {
      response.writeHead(400).end(String(error));
    }
    return;
  }
  const refused = await refusal(request, body, settings.keys, now());
  if (refused) {
    count(seen.refused, refused[0]);
    fail(response, 403, ...refused);
    return;
  }
  const action = (request.headers["x-amz-target"] ?? "").split(".")[1] ?? "";
  ++seen.passed;
  count(seen.actions, action);
  const fault = faultOf(action);
  const pass = (answered) => forward(request, response, body, answered);
  if (!fault) {
    pass();
    return;
  }
  count(seen.faults, fault);
  FAULTS[fault](request, response, pass);
}

set(JSON.parse(given ?? "{}"));
const server = http.createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.on("connection", () => ++seen.connections);
await serve(server, 0);
