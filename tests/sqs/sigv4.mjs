// Whether a request is signed as AWS wants it (Signature Version 4), by AWS's own signer.
import { require } from "./packages.mjs";

const { SignatureV4 } = require("@smithy/signature-v4");
const { Sha256 } = require("@aws-crypto/sha256-js");

const AUTHORIZATION = new RegExp(
  "^AWS4-HMAC-SHA256 Credential=(?<id>[^/]+)/(?<day>\\d{8})/(?<region>[^/]+)/(?<service>[^/]+)" +
    "/aws4_request, ?SignedHeaders=(?<names>[^,]+), ?Signature=(?<signature>[0-9a-f]{64})$",
);

function timeOf(date) {
  const iso = "$1-$2-$3T$4:$5:$6Z";
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, iso));
}

/// Nothing, or the code and message of the refusal. `keys`: {id, secret, token?, skewSeconds}.
export async function refusal({ method, url, headers }, body, keys, now) {
  if (!headers.authorization) {
    return ["MissingAuthenticationTokenException", "Request is missing Authentication Token"];
  }
  const given = AUTHORIZATION.exec(headers.authorization)?.groups;
  if (!given) return ["IncompleteSignatureException", "Authorization header is malformed"];
  if (given.id !== keys.id || (keys.token && headers["x-amz-security-token"] !== keys.token)) {
    const message = "The security token included in the request is invalid.";
    return ["UnrecognizedClientException", message];
  }
  const mismatch = (why) => ["SignatureDoesNotMatchException", why];
  const date = headers["x-amz-date"] ?? "";
  const time = timeOf(date);
  if (!(Math.abs(now - time) <= keys.skewSeconds * 1000)) {
    const side = time > now ? "not yet current" : "expired";
    return mismatch(`Signature ${side}: ${date} is more than ${keys.skewSeconds} s away`);
  }
  if (!date.startsWith(given.day)) return mismatch("the scope is of another day");
  if (given.service !== "sqs") return mismatch(`the service is ${given.service}`);

  const names = given.names.split(";");
  if (!names.includes("host")) return mismatch("host is not signed");
  const loose = Object.keys(headers).find((n) => n.startsWith("x-amz-") && !names.includes(n));
  if (loose) return mismatch(`${loose} is not signed`);
  const absent = names.find((name) => headers[name] === undefined);
  if (absent) return mismatch(`${absent} is signed and not there`);

  const signer = new SignatureV4({
    service: given.service,
    region: given.region,
    sha256: Sha256,
    credentials: {
      accessKeyId: keys.id,
      secretAccessKey: keys.secret,
      sessionToken: headers["x-amz-security-token"],
    },
    applyChecksum: false,
  });
  const { pathname, searchParams } = new URL(url, "http://host");
  const signed = await signer.sign(
    {
      method,
      protocol: "http:",
      hostname: "host",  // the header counts
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: Object.fromEntries(names.map((name) => [name, headers[name]])),
      body,
    },
    { signingDate: new Date(time), signableHeaders: new Set(names) },
  );
  const wanted = AUTHORIZATION.exec(signed.headers.authorization).groups;
  if (wanted.signature === given.signature) return undefined;
  // AWS explains it so, token and all.
  return mismatch(
    "The request signature we calculated does not match the signature you provided.\n\n" +
      `The Canonical String for this request should have been\n'${method}\n${pathname}\n\n` +
      names.map((name) => `${name}:${headers[name]}\n`).join("") + `\n${given.names}'`,
  );
}
