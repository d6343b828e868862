// The packages of package.json are in .cache/sqs, where node does not look by itself.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";

export const packages = new URL("../../.cache/sqs/node_modules/", import.meta.url);
if (!existsSync(packages)) throw new Error("npm packages are missing: run tests/sqs/install");
export const require = createRequire(packages);
