import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/fuzz.ts", "test/support/leftovers.ts"],
    // Most of a short test file's time went into loading our modules; so they are loaded once for all files of a worker.
    isolate: false,
    // Tests that load onnxruntime themselves send its makers nothing either.
    env: { ORT_DISABLE_TELEMETRY: "1" },
    // Two cores: more workers than that only take turns.
    maxWorkers: 2,
    // Against tests that hang, not tests that are slow: a busy machine may take ten times as long as a quiet one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
