// The official suite finds no test file of its own as published: it is called from one.
import { runConformanceTests } from "@durable-streams/server-conformance-tests";

runConformanceTests({ baseUrl: process.env.TARGET_ORIGIN, subscriptions: true });
