// A stand-in for what hands out temporary keys on AWS's machines, strict about the protocol:
//   the instance metadata service, version 2:
//     AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:PORT
//   the container endpoint of ECS and EKS:
//     AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:PORT/container
//     AWS_CONTAINER_AUTHORIZATION_TOKEN=container-token
//
// creds_fake.mjs [JSON], and `POST /_fake` sets any of:
//   id, secret, token, region, role   what is handed out; a token of null: a new one each time
//   ttlSeconds                        how long the keys last
//   status                            {token, keys, container}: answered instead, for example 500
// `GET /_fake` lists the requests so far.
import http from "node:http";
import { bodyOf, serve } from "./serve.mjs";

const SESSION = "metadata-session";
let settings = {
  id: "AKIDEXAMPLE",
  secret: "secret",
  token: null,
  region: "eu-central-1",
  role: "role-of-the-machine",
  ttlSeconds: 3600,
  status: {},
};
const requests = [];
let handedOut = 0;

/// Times without fractions, as the real ones.
const iso = (time) => new Date(time).toISOString().replace(/\.\d+/, "");

function keys() {
  ++handedOut;
  return {
    AccessKeyId: settings.id,
    SecretAccessKey: settings.secret,
    Token: settings.token ?? `token-${handedOut}`,
    Expiration: iso(Date.now() + settings.ttlSeconds * 1000),
  };
}

/// [status, body, headers]
function metadataSession({ method, headers }) {
  const ttl = headers["x-aws-ec2-metadata-token-ttl-seconds"];
  if (method !== "PUT") return [405];
  if (settings.status.token) return [settings.status.token];
  if (!ttl || headers["x-forwarded-for"]) return [400];  // a proxy never gets one
  return [200, SESSION, { "x-aws-ec2-metadata-token-ttl-seconds": ttl }];
}

function metadata({ url, headers }) {
  if (headers["x-aws-ec2-metadata-token"] !== SESSION) return [401];
  if (settings.status.keys) return [settings.status.keys];
  const path = url.slice("/latest/meta-data/".length);
  if (path === "placement/region") return [200, settings.region];
  if (/^iam\/security-credentials\/?$/.test(path)) return [200, settings.role];
  if (path !== `iam/security-credentials/${settings.role}`) return [404];
  const about = { Code: "Success", Type: "AWS-HMAC", LastUpdated: iso(Date.now()) };
  return [200, JSON.stringify({ ...about, ...keys() })];
}

function container({ headers }) {
  if (headers.authorization !== "container-token") return [401];
  if (settings.status.container) return [settings.status.container];
  return [200, JSON.stringify({ RoleArn: "arn:aws:iam::123456789012:role/task", ...keys() })];
}

async function answer(request) {
  const { method, url } = request;
  if (url === "/_fake") {
    if (method === "POST") settings = { ...settings, ...JSON.parse(await bodyOf(request)) };
    return [200, JSON.stringify(requests)];
  }
  requests.push(`${method} ${url}`);
  if (url === "/latest/api/token") return metadataSession(request);
  if (url.startsWith("/latest/meta-data/")) return metadata(request);
  if (url === "/container") return container(request);
  return [404];
}

settings = { ...settings, ...JSON.parse(process.argv[2] ?? "{}") };
const server = http.createServer(async (request, response) => {
  const [status, body = "", headers = {}] = await answer(request);
  response.writeHead(status, headers);
  response.end(body);
});
await serve(server, 0);
